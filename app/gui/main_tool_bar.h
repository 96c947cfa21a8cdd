// The row under the menu: open, target, shapes, precision, build, compare, export.
#pragma once

#include <QToolBar>

#include "engine_core/builder/builder_config.h"

class QToolButton;

namespace strobe {

class ActionList;
class PrecisionControl;
class ShapesEditor;
class WorkbenchContext;

class MainToolBar : public QToolBar {
    Q_OBJECT
public:
    MainToolBar(WorkbenchContext& context, const ActionList& actions, QWidget* parent);
    QToolButton& openButton() const { return *m_open; }

private:
    void addTarget();
    void addShapes();
    void addPrecisions();
    void follow();

    WorkbenchContext& m_context;
    QToolButton* m_open;
    QToolButton* m_target;
    QToolButton* m_shapes;
    PrecisionControl* m_precision;
    ShapesEditor* m_editor;
};

/// Sets one precision for the whole network, undoable.
void setPrecision(WorkbenchContext& context, PrecisionMode mode);

}  // namespace strobe
