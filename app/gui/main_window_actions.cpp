// What each action of the window does.
#include <QAbstractSpinBox>
#include <QApplication>
#include <QDir>
#include <QLineEdit>
#include <QMessageBox>
#include <QPointer>
#include <QSettings>

#include "app/gui/action_list.h"
#include "app/gui/banner.h"
#include "app/gui/document_controller.h"
#include "app/gui/main_tool_bar.h"
#include "app/gui/main_window.h"
#include "app/gui/page_docks.h"
#include "app/gui/status_figures.h"
#include "views/models/display_text.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/page.h"
#include "views/pages/settings/settings_page.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/file_dialog.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/graph_canvas.h"

namespace strobe {
namespace {

/// What is being typed counts: an editor hands it over when it loses the focus, which a shortcut or a tool button does
/// not take.
void finishTyping() {
    QWidget* editor = QApplication::focusWidget();
    if (!editor || (!qobject_cast<QLineEdit*>(editor) && !qobject_cast<QAbstractSpinBox*>(editor))) return;
    editor->clearFocus();
    editor->setFocus();
}

}  // namespace

void MainWindow::connectFileActions() {
    m_actions->on("open", [this] { m_documents->openWithDialog(); });
    m_actions->on("openSample", [this] { openPath(m_samplePath); });
    m_actions->on("reload", [this] { m_documents->reload(); });
    m_actions->on("save", [this] { m_documents->save(); });
    m_actions->on("saveAs", [this] { m_documents->saveAs(); });
    m_actions->on("export", [this] { showPage("exportPage"); });
    m_actions->on("exportGraphPng", [this] { saveGraph(false); });
    m_actions->on("exportGraphSvg", [this] { saveGraph(true); });
    m_actions->on("quit", [this] { close(); });
}

void MainWindow::connectEditActions() {
    m_actions->on("undo", [this] { m_context.undo(); });
    m_actions->on("redo", [this] { m_context.redo(); });
    m_actions->on("back", [this] { m_context.back(); });
    m_actions->on("forward", [this] { m_context.forward(); });
    m_actions->on("clear", [this] { cancelOrClear(); });
    m_actions->on("find", [this] { m_graph->startSearch(); });
    m_actions->on("filterLayers", [this] {
        showPage("layersPage");
        if (Page* layers = m_docks->page("layersPage"))
            if (auto* filter = layers->findChild<FilterBar*>()) filter->edit().setFocus(Qt::ShortcutFocusReason);
    });
}

void MainWindow::connectBuildActions() {
    m_actions->on("build", [this] { build(true); });
    m_actions->on("buildOnly", [this] { build(false); });
    m_actions->on("measureAgain", [this] {
        if (const auto build = m_context.currentBuild()) m_context.session().profileAgain(build->id);
    });
    m_actions->on("compare", [this] { compareNewest(); });
    m_actions->on("cancel", [this] { m_context.session().jobs().cancelAll(); });
    for (const PrecisionMode mode :
         {PrecisionMode::Fp32, PrecisionMode::Bf16, PrecisionMode::Fp16, PrecisionMode::Best})
        m_actions->on("precision" + toQString(precisionModeName(mode)), [this, mode] {
            setPrecision(m_context, mode);
            updateActions();  // a click on the precision in force unchecks it
        });
}

void MainWindow::connectViewActions() {
    const std::pair<const char*, GraphStage> stages[] = {{"stageParsed", GraphStage::Parsed}, {"stageFused", GraphStage::Fused}, {"stageEngine", GraphStage::Engine}};
    for (const auto& [id, stage] : stages)
        m_actions->on(id, [this, which = stage] { m_graph->setStage(which); });
    const std::pair<const char*, GraphColour> colours[] = {{"colourFamily", GraphColour::Family},
                                                           {"colourTime", GraphColour::Time},
                                                           {"colourPrecision", GraphColour::Precision},
                                                           {"colourMemory", GraphColour::Memory},
                                                           {"colourDivergence", GraphColour::Divergence}};
    for (const auto& [id, colour] : colours)
        m_actions->on(id, [this, which = colour] { m_graph->setColour(which); });
    m_actions->on("fitGraph", [this] { m_graph->canvas().zoomToFit(); });
    (*m_actions)["minimap"].setChecked(true);
    m_actions->on("minimap", [this] { m_graph->canvas().setMinimapVisible((*m_actions)["minimap"].isChecked()); });
    const char* const themes[] = {"themeSystem", "themeLight", "themeDark"};
    for (int mode = 0; mode < 3; ++mode) m_actions->on(themes[mode], [this, mode] { setTheme(mode); });
    setTheme(static_cast<int>(Theme::instance().mode()));
    m_actions->on("fullScreen", [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
    m_actions->on("resetLayout", [this] { m_docks->reset(); });
}

void MainWindow::connectHelpActions() {
    m_actions->on("palette", [this] { showPalette(); });
    m_actions->on("keys", [this] { KeySheet(m_actions->all(), this).exec(); });
    m_actions->on("about", [this] {
        QMessageBox::about(this, tr("About Strobe"),
                           tr("Strobe %1\n\nA workbench for neural-network inference: see where the time goes, change it, ship the engine.").arg(QApplication::applicationVersion()));
    });
}

void MainWindow::setTheme(int mode) {
    Theme::instance().setMode(static_cast<ThemeMode>(mode));
    const char* const themes[] = {"themeSystem", "themeLight", "themeDark"};
    for (int i = 0; i < 3; ++i) (*m_actions)[themes[i]].setChecked(i == mode);
    QSettings().setValue("window/theme", mode);
}

void MainWindow::build(bool profile) {
    finishTyping();
    Session& session = m_context.session();
    const auto pending = session.pendingBuild(profile);
    if (!pending) {
        session.buildAndProfile(profile);
        return;
    }
    const auto job = session.jobs().info(*pending);
    const bool isWaiting = job && job->state == JobState::Queued;
    m_status->say(isWaiting ? tr("This build is waiting already") : tr("This build is running already"));
}

void MainWindow::compareNewest() {
    const auto builds = m_context.session().builds();
    if (builds.size() < 2) return;
    // The current build is the candidate; the reference is the first that differs from it, as a rule FP32.
    const auto candidate = m_context.currentBuild() && m_context.currentBuild() != builds.front() ? m_context.currentBuild() : builds.back();
    m_context.session().compare(builds.front()->id, candidate->id);
    m_docks->show("comparePage", false);
}

bool MainWindow::isCancelledByEscape(const JobInfo& job) {
    // Esc is pressed for many reasons; what the user keeps is not lost by one.
    const bool isKept = job.kind == JobKind::Save || job.kind == JobKind::Export;
    return !isFinished(job.state) && !isKept;
}

bool MainWindow::cancelWork() {
    bool isAny = false;
    for (const JobInfo& job : m_context.session().jobs().jobs()) {
        if (!isCancelledByEscape(job)) continue;
        m_context.session().jobs().cancel(job.id);
        isAny = true;
    }
    return isAny;
}

void MainWindow::cancelOrClear() {
    if (cancelWork()) return;
    if (qobject_cast<QLineEdit*>(QApplication::focusWidget()) != nullptr)
        m_graph->canvas().setFocus();
    else
        m_context.clearSelection();
}

void MainWindow::showPalette() {
    qDeleteAll(std::exchange(m_fields, {}));
    auto* settings = static_cast<SettingsPage*>(m_docks->page("settingsPage"));
    for (const SettingsPage::Field& field : settings->fields()) {
        auto* action = new QAction(tr("Setting: %1").arg(field.name), this);
        // Another model's fields may have taken its place while the palette was open.
        connect(action, &QAction::triggered, this, [this, settings, widget = QPointer<QWidget>(field.widget)] {
            m_docks->show("settingsPage", false);
            if (widget) settings->showField(*widget);
        });
        m_fields += action;
    }
    m_palette->showFor(m_actions->all() + m_fields);
}

void MainWindow::saveGraph(bool asSvg) {
    const QString suffix = asSvg ? QStringLiteral("svg") : QStringLiteral("png");
    const auto model = m_context.model();
    const QString proposed = QDir(m_documents->folder()).filePath(model ? toQString(model->name).section('.', 0, -2) + '.' + suffix : QString());
    const QString filter = tr("%1 (*.%2)").arg(suffix.toUpper(), suffix);
    const QString path = askSavePath(this, tr("Save graph"), proposed, filter, SuffixRule::WhereOther);
    if (path.isEmpty()) return;
    QString error;
    const bool saved = asSvg ? m_graph->canvas().exportSvg(path, &error) : m_graph->canvas().exportPng(path, true, &error);
    if (!saved) showError(tr("The graph was not saved to %1: %2").arg(path, error));
}

}  // namespace strobe
