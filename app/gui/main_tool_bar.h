// The row under the menu: open, target, shapes, precision, build, compare, export.
#pragma once

#include <QToolBar>
#include <vector>

#include "engine_core/builder/device.h"

class QToolButton;

namespace strobe {

class ActionList;
class SegmentedControl;
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
    void fillTargets(const std::vector<DeviceInfo>& devices);
    void follow();

    WorkbenchContext& m_context;
    QToolButton* m_open;
    QToolButton* m_target;
    QToolButton* m_shapes;
    SegmentedControl* m_precision;
    ShapesEditor* m_editor;
    std::vector<DeviceInfo> m_devices;
};

/// Sets one precision for the whole network, undoable.
void setPrecision(WorkbenchContext& context, int mode);

}  // namespace strobe
