#pragma once

#include <map>

#include "views/pages/settings/settings_section.h"

class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace strobe {

// What is run to profile and compare: data, shapes, how long.
class RunSection : public SettingsSection {
    Q_OBJECT
public:
    RunSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    void chooseFile();
    void commitFile(const QString& path);
    void checkFile(const std::string& path);
    void takeShapes(const std::map<std::string, Dims>& ofData);
    void rebuildShapes();
    void commitShapes();
    void findRemedy(const std::map<std::string, Dims>& shapes);

    QLineEdit* m_file;
    QLabel *m_fileNote, *m_fileError, *m_error;
    QSpinBox* m_seed;
    QDoubleSpinBox* m_duration;
    QFormLayout* m_shapes;
    std::map<std::string, QLineEdit*> m_shapeEdits;
    std::shared_ptr<const Model> m_shownModel;
    std::string m_checkedFile;  // of that model, or about to be
    std::string m_chosenFile;   // just now, by the user
};

}  // namespace strobe
