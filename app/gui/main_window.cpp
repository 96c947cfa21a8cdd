#include "app/gui/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QMenu>
#include <QMimeData>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/gui/action_list.h"
#include "app/gui/banner.h"
#include "app/gui/document_controller.h"
#include "app/gui/main_tool_bar.h"
#include "app/gui/page_docks.h"
#include "app/gui/status_figures.h"
#include "views/models/display_text.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/start/start_page.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/graph_canvas.h"

namespace strobe {
namespace {

constexpr int kLayoutVersion = 2;
constexpr QSize kThumbnail(192, 64);

/// As designed, where the screen has room for it and for the frame that the desktop puts around.
QSize firstSize() {
    constexpr int kBorders = 2 * 2;
    const int titleBar = 2 * QApplication::style()->pixelMetric(QStyle::PM_TitleBarHeight);
    const QSize room = QGuiApplication::primaryScreen()->availableSize() - QSize(kBorders, titleBar);
    return QSize(1600, 1000).boundedTo(room);
}

}  // namespace

MainWindow::MainWindow(Session& session, QString samplePath)
    : m_context(session),
      m_samplePath(std::move(samplePath)),
      m_actions(new ActionList(*this)),
      m_documents(new DocumentController(m_context, m_recent, *this)) {
    setObjectName("mainWindow");
    resize(firstSize());
    setMinimumSize(960, 560);
    setAcceptDrops(true);
    m_actions->fillMenus();
    for (QAction* action : m_actions->all()) m_context.registerAction(action->objectName(), action);
    buildCentre();
    m_toolBar = new MainToolBar(m_context, *m_actions, this);
    addToolBar(m_toolBar);
    m_toolBar->openButton().setMenu(new QMenu(this));
    // Permanent: a button's tip would hide the progress of the build that it began.
    m_status = new StatusFigures(m_context, this);
    statusBar()->addPermanentWidget(m_status, 1);
    statusBar()->setSizeGripEnabled(false);
    m_docks = new PageDocks(*this, m_context, *m_actions);
    m_palette = new CommandPalette(this);
    connectFileActions();
    connectEditActions();
    connectBuildActions();
    connectViewActions();
    connectHelpActions();
    followContext();
    restoreLayout();
    fillRecentMenu();
    updateActions();
    updateTitle();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildCentre() {
    auto* centre = new QWidget(this);
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_banner = new Banner(centre);
    m_centre = new QStackedWidget(centre);
    m_start = new StartPage(m_context, m_recent, m_samplePath);
    m_graph = new GraphPage(m_context);
    m_centre->addWidget(m_start);
    m_centre->addWidget(m_graph);
    layout->addWidget(m_banner);
    layout->addWidget(m_centre, 1);
    setCentralWidget(centre);
    QAction& graph = m_actions->add(QStringLiteral("&View"), QStringLiteral("page:graphPage"), tr("Page: Graph"), QStringLiteral("Ctrl+1"));
    connect(&graph, &QAction::triggered, this, [this] { showPage("graphPage"); });
    connect(m_banner, &Banner::problemsRequested, this, [this] { showPage("problemsPage"); });
    connect(m_start, &StartPage::openRequested, this, &MainWindow::openPath);
}

void MainWindow::followContext() {
    const auto update = [this] {
        updateActions();
        updateTitle();
    };
    for (const auto signal : {&WorkbenchContext::modelChanged, &WorkbenchContext::settingsChanged, &WorkbenchContext::buildsChanged, &WorkbenchContext::documentChanged,
                              &WorkbenchContext::historyChanged, &WorkbenchContext::currentBuildChanged})
        connect(&m_context, signal, this, update);
    connect(&m_context, &WorkbenchContext::jobsChanged, this, &MainWindow::reportJobs);
    connect(&m_context, &WorkbenchContext::settingsStepped, this, &MainWindow::followUndo);
    connect(&m_context, &WorkbenchContext::pageRequested, this, &MainWindow::showPage);
    connect(&m_context, &WorkbenchContext::modelChanged, this, [this] {
        m_centre->setCurrentWidget(m_context.model() ? static_cast<QWidget*>(m_graph) : m_start);
        m_banner->hide();
        m_graph->canvas().setFocus();
    });
    connect(&m_recent, &RecentFiles::changed, this, &MainWindow::fillRecentMenu);
    connect(&m_graph->canvas(), &GraphCanvas::layoutFinished, this, [this] {
        m_pictured.clear();
        rememberPicture();
    });
    connect(&m_context, &WorkbenchContext::documentChanged, this,
            &MainWindow::rememberPicture);  // a session may get its file later
}

void MainWindow::rememberPicture() {
    const auto model = m_context.model(), shown = m_graph->shownModel();
    if (!model || !shown || shown->hash != model->hash || m_graph->canvas().isLayoutRunning()) return;
    const QStringList files = m_documents->openFiles();
    if (files == m_pictured) return;  // documents change often
    m_pictured = files;
    for (const QString& path : files) m_recent.setThumbnail(path, m_graph->canvas().thumbnail(kThumbnail));
}

void MainWindow::openPath(const QString& path) {
    m_documents->openPath(path);
}

QString MainWindow::errorShown() const {
    return m_banner->message();
}

void MainWindow::reportJobs() {
    std::set<JobId> ended;
    for (const JobInfo& job : m_context.session().jobs().jobs()) {
        if (!isFinished(job.state)) continue;
        ended.insert(job.id);
        if (m_reported.count(job.id) == 0)
            reportJob(job);  // in any order: a waiting job can be cancelled before a running one ends
    }
    m_reported = std::move(ended);
    updateActions();
}

void MainWindow::reportJob(const JobInfo& job) {
    if (job.state == JobState::Failed)
        showError(tr("%1 failed: %2").arg(toQString(job.title), toQString(job.result.message())),
                  job.kind == JobKind::Build && !m_context.session().problems().empty(), job.kind);
    else if (job.state == JobState::Succeeded && job.kind == m_failedKind)
        m_banner->hide();
    else if (job.state == JobState::Cancelled)
        m_status->say(tr("%1 cancelled").arg(toQString(job.title)));
}

void MainWindow::showError(const QString& message, bool hasProblems, std::optional<JobKind> kind) {
    m_failedKind = kind;
    m_banner->showMessage(message, hasProblems);
}

void MainWindow::followUndo(const QString& label, bool undone) {
    m_status->say(undone ? tr("Undone: %1").arg(insideSentence(label)) : tr("Redone: %1").arg(insideSentence(label)));
}

void MainWindow::showPage(const QString& page) {
    if (page != QLatin1String("graphPage"))
        m_docks->show(page, true);
    else if (m_context.model())
        m_graph->canvas().setFocus(Qt::ShortcutFocusReason);
}

void MainWindow::updateTitle() {
    const auto model = m_context.model();
    const std::string document = m_context.session().documentPath();
    const QString name = !document.empty() ? toQString(document).section('/', -1) : model ? toQString(model->name) : QString();
    setWindowTitle(name.isEmpty() ? tr("Strobe") : tr("%1[*] — Strobe").arg(name));
    setWindowModified(!name.isEmpty() && m_context.session().isModified());
}

void MainWindow::updateActions() {
    const Session& session = m_context.session();
    ActionList& actions = *m_actions;
    const bool hasModel = m_context.model() != nullptr, hasBuild = m_context.currentBuild() != nullptr;
    for (const char* id : {"reload", "save", "saveAs", "build", "buildOnly", "find", "exportGraphPng", "exportGraphSvg", "fitGraph", "stageParsed"}) actions.setEnabled(id, hasModel, tr("Open a model first"));
    for (const char* id : {"stageFused", "stageEngine", "export", "measureAgain"}) actions.setEnabled(id, hasBuild, hasModel ? tr("Build first") : tr("Open a model first"));
    actions.setEnabled("compare", session.builds().size() >= 2, tr("Build twice first, with different settings"));
    actions.setEnabled("cancel", !session.jobs().isIdle(), tr("No job is running"));
    const auto jobs = session.jobs().jobs();
    actions.setEscapeTaken(std::any_of(jobs.begin(), jobs.end(), isCancelledByEscape));
    actions.setEnabled("back", m_context.canGoBack(), tr("There is none"));
    actions.setEnabled("forward", m_context.canGoForward(), tr("There is none"));
    const auto labelled = [](const QString& verb, const std::string& what) { return what.empty() ? verb : QStringLiteral("%1 %2").arg(verb, insideSentence(toQString(what))); };
    actions.setEnabled("undo", session.canUndo(), tr("No setting was changed"));
    actions["undo"].setText(labelled(tr("&Undo"), session.undoLabel()));
    actions.setEnabled("redo", session.canRedo(), tr("Nothing was undone"));
    actions["redo"].setText(labelled(tr("&Redo"), session.redoLabel()));
    const PrecisionMode mode = session.settings().builder.precision;
    for (const PrecisionMode each : {PrecisionMode::Fp32, PrecisionMode::Bf16, PrecisionMode::Fp16, PrecisionMode::Best})
        actions["precision" + toQString(precisionModeName(each))].setChecked(each == mode);
}

void MainWindow::fillRecentMenu() {
    QMenu& menu = *m_toolBar->openButton().menu();
    menu.clear();
    menu.addAction(&(*m_actions)["open"]);
    menu.addAction(&(*m_actions)["openSample"]);
    menu.addSeparator();
    for (const RecentFile& file : m_recent.files())
        menu.addAction(file.path.section('/', -1), this, [this, path = file.path] { openPath(path); })->setToolTip(file.path);
    menu.setToolTipsVisible(true);
}

void MainWindow::restoreLayout() {
    QSettings settings;
    if (settings.contains("window/geometry")) restoreGeometry(settings.value("window/geometry").toByteArray());
    restoreState(settings.value("window/state").toByteArray(), kLayoutVersion);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (!m_documents->mayClose()) {
        event->ignore();
        return;
    }
    m_context.session().jobs().cancelAll();
    QSettings settings;
    settings.setValue("window/geometry", saveGeometry());
    settings.setValue("window/state", saveState(kLayoutVersion));
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!DocumentController::openablePath(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QString path = DocumentController::openablePath(*event->mimeData());
    if (path.isEmpty()) return;
    event->acceptProposedAction();
    openPath(path);
}

}  // namespace strobe
