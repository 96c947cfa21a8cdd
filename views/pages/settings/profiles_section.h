#pragma once

#include <array>
#include <vector>

#include "views/pages/settings/settings_section.h"

class QGridLayout;
class QLineEdit;
class QPushButton;

namespace strobe {

// Shape profiles: smallest, best and largest extents of every dynamic input.
class ProfilesSection : public SettingsSection {
    Q_OBJECT
public:
    ProfilesSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    struct InputRow {
        std::string name;
        std::array<QLineEdit*, 3> edits;  // min, opt, max
    };
    struct ProfileBox {
        QWidget *box = nullptr, *remove = nullptr;
        std::vector<InputRow> inputs;
    };
    std::vector<const Tensor*> dynamicInputs() const;
    void rebuild(size_t count);
    void addProfile();
    void addInput(ProfileBox& profile, QGridLayout& grid, const Tensor& input);
    // Writes the shapes into the fields there are.
    void fill(const std::vector<OptimizationProfile>& asked, const std::vector<OptimizationProfile>& complete);
    void explain(bool isDynamic, bool isAsked);
    Result<std::vector<OptimizationProfile>> collect() const;
    void commitProfiles(const QString& label);
    void removeProfile(QWidget* box);
    const QLineEdit* findEdit(const QWidget* widget) const;
    // The keyboard left this field, or Return was pressed in it.
    void followTyping(const QLineEdit& left);

    QLabel *m_note, *m_error;
    QVBoxLayout* m_boxesLayout;
    QPushButton* m_add;
    std::vector<ProfileBox> m_profiles;
    std::shared_ptr<const Model> m_shownModel;
};

}  // namespace strobe
