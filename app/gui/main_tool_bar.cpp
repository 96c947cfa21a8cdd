#include "app/gui/main_tool_bar.h"

#include <QActionGroup>
#include <QMenu>
#include <QToolButton>

#include "app/gui/action_list.h"
#include "app/gui/shapes_editor.h"
#include "views/models/background.h"
#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr PrecisionMode kModes[] = {PrecisionMode::Fp32, PrecisionMode::Bf16, PrecisionMode::Fp16, PrecisionMode::Best};

QToolButton* textButton(QWidget* parent, const QString& name) {
    auto* button = new QToolButton(parent);
    button->setObjectName(name);
    button->setToolButtonStyle(Qt::ToolButtonTextOnly);
    return button;
}

}  // namespace

void setPrecision(WorkbenchContext& context, int mode) {
    Settings settings = context.session().settings();
    settings.builder.precision = kModes[mode];
    context.session().setSettings(std::move(settings), "precision " + std::string(precisionModeName(kModes[mode])));
}

MainToolBar::MainToolBar(WorkbenchContext& context, const ActionList& actions, QWidget* parent)
    : QToolBar(tr("Main"), parent),
      m_context(context),
      m_open(textButton(this, "openButton")),
      m_target(textButton(this, "targetButton")),
      m_shapes(textButton(this, "shapesButton")),
      m_precision(new SegmentedControl(SegmentedControl::Mode::One, this)),
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
    // Looking for devices may load a driver.
    runInBackground(
        this, [session = &context.session()] { return session->devices(); }, [this](const std::vector<DeviceInfo>& devices) { fillTargets(devices); });
}

void MainToolBar::addTarget() {
    m_target->setPopupMode(QToolButton::InstantPopup);
    m_target->setToolTip(tr("Where the engine runs"));
    m_target->setMenu(new QMenu(m_target));
    addWidget(m_target);
}

void MainToolBar::addShapes() {
    connect(m_shapes, &QToolButton::clicked, this, [this] { m_editor->openAt(m_shapes->mapToGlobal(QPoint(0, m_shapes->height() + 2))); });
    addWidget(m_shapes);
}

void MainToolBar::addPrecisions() {
    m_precision->setObjectName("precisions");
    const DeviceInfo cpu = cpuDeviceInfo();
    const Theme& theme = Theme::instance();
    m_precision->addSegment("FP32", tr("Everything in 32 bits: the reference"), theme.precision("FP32"));
    m_precision->addSegment("BF16", cpu.hasBf16 ? tr("16 bits with FP32's range") : tr("Preview: this CPU has no BF16 arithmetic; accuracy is right, speed is not"), theme.precision("BF16"), !cpu.hasBf16);
    m_precision->addSegment("FP16", cpu.hasFp16 ? tr("16 bits with more digits and less range") : tr("Preview: this CPU has no FP16 arithmetic; accuracy is right, speed is not"), theme.precision("FP16"), !cpu.hasFp16);
    m_precision->addSegment("Best", tr("Each layer in the precision that is fastest here"));
    connect(m_precision, &SegmentedControl::currentChanged, this, [this](int index) { setPrecision(m_context, index); });
    addWidget(m_precision);
}

void MainToolBar::fillTargets(const std::vector<DeviceInfo>& devices) {
    m_devices = devices;
    m_target->menu()->clear();
    auto* group = new QActionGroup(m_target->menu());
    for (const DeviceInfo& device : devices) {
        QAction* action = m_target->menu()->addAction(QStringLiteral("%1: %2").arg(toQString(device.id), toQString(device.name)));
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
    m_target->menu()->setToolTipsVisible(true);
    follow();
}

void MainToolBar::follow() {
    const Settings settings = m_context.session().settings();
    for (int i = 0; i < 4; ++i)
        if (kModes[i] == settings.builder.precision) m_precision->setCurrent(i);
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
