// At which shapes is the model profiled? A popup with one field an input.
#pragma once

#include <QFrame>
#include <map>

#include "sessions/session.h"

class QGridLayout;
class QLabel;
class QLineEdit;

namespace strobe {

class WorkbenchContext;

/// Concrete extents of every input: what the settings say, else the opt shapes of the profile (or those that the builder assumes).
std::map<std::string, Dims> effectiveShapes(const Model& model, const Settings& settings);
/// The settings with these shapes to profile at; profiles are widened where they would not allow them.
Settings withShapes(const Model& model, Settings settings, const std::map<std::string, Dims>& shapes);

class ShapesEditor : public QFrame {
    Q_OBJECT
public:
    explicit ShapesEditor(WorkbenchContext& context, QWidget* parent);
    /// Opens below `at`, in global coordinates.
    void openAt(const QPoint& at);

private:
    void fill();
    void apply();

    WorkbenchContext& m_context;
    QGridLayout* m_rows;
    QLabel* m_error;
    std::map<std::string, QLineEdit*> m_fields;
};

}  // namespace strobe
