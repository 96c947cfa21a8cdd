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

class ShapesEditor : public QFrame {
    Q_OBJECT
public:
    explicit ShapesEditor(WorkbenchContext& context, QWidget* parent);
    /// Opens below `at`, in global coordinates.
    void openAt(const QPoint& at);

private:
    void fill();
    void apply();
    void findRemedy(const std::map<std::string, Dims>& shapes);

    WorkbenchContext& m_context;
    QGridLayout* m_rows;
    QLabel* m_error;
    std::map<std::string, QLineEdit*> m_fields;
};

}  // namespace strobe
