#include "app/gui/main_tool_bar.h"

#include <QActionGroup>
#include <QMenu>
#include <QToolButton>

#include "app/gui/action_list.h"
#include "app/gui/shapes_editor.h"
#include "views/models/display_text.h"
#include "views/models/run_shapes.h"
#include "views/models/target_device.h"
#include "views/models/workbench_context.h"
#include "views/pages/settings/precision_control.h"

namespace strobe {
namespace {

QToolButton* textButton(QWidget* parent, const QString& name) {
    auto* button = new QToolButton(parent);
    button->setObjectName(name);
    button->setToolButtonStyle(Qt::ToolButtonTextOnly);
    return button;
}

}  // namespace

void setPrecision(WorkbenchContext& context, PrecisionMode mode) {
    Settings settings = context.session().settings();
    settings.builder.precision = mode;
    context.session().setSettings(std::move(settings), "precision " + std::string(precisionModeName(mode)));
}

MainToolBar::MainToolBar(WorkbenchContext& context, const ActionList& actions, QWidget* parent)
    : QToolBar(tr("Main"), parent),
      m_context(context),
      m_open(textButton(this, "openButton")),
      m_target(textButton(this, "targetButton")),
      m_shapes(textButton(this, "shapesButton")),
      m_precision(new PrecisionControl(this)),
      m_editor(new ShapesEditor(context, this)) {
    setObjectName("mainToolBar");
    setMovable(false);
    // A tool button shows its action's icon text, the short one.
    actions["open"].setIconText(tr("Open"));
    actions["build"].setIconText(tr("▶ Build and profile"));
    actions["compare"].setIconText(tr("Compare"));
    actions["export"].setIconText(tr("Export…"));
    m_open->setDefaultAction(&actions["open"]);
    m_open->setPopupMode(QToolButton::MenuButtonPopup);
    addWidget(m_open);
    addSeparator();
    addTarget();
    addShapes();
    addPrecisions();
    addSeparator();
    auto* build = textButton(this, "buildButton");
    build->setProperty("primary", true);
    build->setDefaultAction(&actions["build"]);
    addWidget(build);
    for (const char* id : {"compare", "export"}) {
        auto* button = textButton(this, QString::fromLatin1(id) + "Button");
        button->setDefaultAction(&actions[id]);
        addWidget(button);
    }
    connect(&context, &WorkbenchContext::settingsChanged, this, &MainToolBar::follow);
    connect(&context, &WorkbenchContext::modelChanged, this, &MainToolBar::follow);
    follow();
}

void MainToolBar::addTarget() {
    m_target->setPopupMode(QToolButton::InstantPopup);
    m_target->setToolTip(tr("Where the engine runs"));
    auto* menu = new QMenu(m_target);
    m_target->setMenu(menu);
    menu->setToolTipsVisible(true);
    auto* group = new QActionGroup(menu);
    for (const DeviceInfo& device : m_context.session().devices()) {
        QAction* action = menu->addAction(QStringLiteral("%1: %2").arg(toQString(device.id), toQString(device.name)));
        action->setCheckable(true);
        action->setData(toQString(device.id));
        action->setEnabled(device.unavailableReason.empty());
        action->setToolTip(toQString(device.unavailableReason));
        group->addAction(action);
        connect(action, &QAction::triggered, this, [this, id = device.id] {
            Settings settings = m_context.session().settings();
            settings.builder.device = id;
            m_context.session().setSettings(std::move(settings), "target " + id);
        });
    }
    addWidget(m_target);
}

void MainToolBar::addShapes() {
    connect(m_shapes, &QToolButton::clicked, this,
            [this] { m_editor->openAt(m_shapes->mapToGlobal(QPoint(0, m_shapes->height() + 2))); });
    addWidget(m_shapes);
}

void MainToolBar::addPrecisions() {
    m_precision->setObjectName("precisions");
    connect(m_precision, &PrecisionControl::chosen, this,
            [this](PrecisionMode mode) { setPrecision(m_context, mode); });
    addWidget(m_precision);
}

void MainToolBar::follow() {
    const Settings settings = m_context.session().settings();
    m_precision->showChoice(settings.builder.precision, deviceOf(m_context.session(), settings));
    m_target->setText(tr("Target: %1").arg(toQString(settings.builder.device).toUpper()));
    for (QAction* action : m_target->menu()->actions()) action->setChecked(action->data().toString() == toQString(settings.builder.device));
    const auto model = m_context.model();
    m_shapes->setEnabled(model != nullptr);
    m_shapes->setToolTip(model ? tr("The shapes to build and profile at") : tr("The shapes to build and profile at\nOpen a model first"));
    QString text = tr("none");
    if (model) {
        const auto shapes = effectiveShapes(*model, settings);
        if (!shapes.empty()) text = shapeText(shapes.begin()->second);
        if (shapes.size() > 1) text += QStringLiteral(", …");
    }
    m_shapes->setText(tr("Shapes: %1").arg(text));
}

}  // namespace strobe
