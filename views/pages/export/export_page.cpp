#include "views/pages/export/export_page.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QVBoxLayout>

#include "engine_core/base/atomic_file.h"
#include "profiler/trtexec_report.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/command_text.h"
#include "views/widgets/file_dialog.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/number_format.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kContentsWidth = 300, kActionsWidth = 680;  // at first
constexpr int kCopiedMs = 1200;

std::string reportText(ExportPage::Report report, const Build& build) {
    switch (report) {
        case ExportPage::Report::Html: return buildReportHtml(build);
        case ExportPage::Report::LayerCsv: return profileCsv(*build.profile);
        case ExportPage::Report::ProfileJson: return profileJson(*build.profile);
        case ExportPage::Report::LayerInfoJson: break;
    }
    return layerInfoJson(*build.engine);
}

QString reportSuffix(ExportPage::Report report) {
    return report == ExportPage::Report::Html          ? QStringLiteral(".html")
           : report == ExportPage::Report::LayerCsv      ? QStringLiteral(".layers.csv")
           : report == ExportPage::Report::ProfileJson ? QStringLiteral(".profile.json")
                                                       : QStringLiteral(".layerinfo.json");
}

/// What the dialog that asks for the report's file says it is.
QString reportFilter(ExportPage::Report report) {
    return report == ExportPage::Report::Html       ? ExportPage::tr("Web pages (*.html)")
           : report == ExportPage::Report::LayerCsv ? ExportPage::tr("Comma-separated values (*.csv)")
                                                    : ExportPage::tr("JSON files (*.json)");
}

KeyValueSection section(const QString& heading, const std::vector<ExportFact>& facts) {
    KeyValueSection out{heading, {}};
    for (const ExportFact& fact : facts) out.rows.push_back({fact.name, fact.value, {}, fact.isCode, {}});
    return out;
}

}  // namespace

ExportPage::ExportPage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("exportPage"), tr("Export"), tr("What do I ship?"), context, parent),
      m_builds(new QComboBox(this)),
      m_stack(new QStackedWidget(this)),
      m_empty(new EmptyState({}, this)),
      m_contents(new KeyValueView(this)) {
    m_builds->setMinimumWidth(150);
    m_builds->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_builds->setAccessibleName(tr("Build to export"));
    headerControls().addWidget(m_builds);
    auto* content = new QSplitter(Qt::Horizontal, this);
    content->addWidget(m_contents);
    content->addWidget(buildActions());
    content->setStretchFactor(0, 2);
    content->setStretchFactor(1, 3);
    content->setSizes({kContentsWidth, kActionsWidth});
    content->setChildrenCollapsible(false);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    body().addWidget(m_stack);
    connect(m_builds, &QComboBox::activated, this, &ExportPage::showBuild);
    connect(&context, &WorkbenchContext::buildsChanged, this, &ExportPage::followBuilds);
    connect(&context, &WorkbenchContext::modelChanged, this, [this] {
        m_isPathOwn = false;
        m_allowedPath.clear();  // another document's builds have the same numbers
        m_writtenPath.clear();
        m_outcomeBuild = 0;
        say({}, false);
        followBuilds();
    });
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &ExportPage::followCurrent);
    connect(&context, &WorkbenchContext::jobsChanged, this, &ExportPage::followJob);
    connect(&Theme::instance(), &Theme::themeChanged, this, [this] { say(m_outcome->text(), m_isOutcomeError); });
    followBuilds();
    followCurrent();
}

QWidget* ExportPage::buildActions() {
    auto* scroll = new QScrollArea(this);
    auto* box = new QWidget;
    box->setBackgroundRole(QPalette::Base);
    box->setAutoFillBackground(true);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    layout->setSpacing(6);
    addPathRow(*layout);
    addReportButtons(*layout);
    m_outcome = new QLabel(box);
    m_outcome->setObjectName(QStringLiteral("exportOutcome"));
    m_outcome->setWordWrap(true);
    m_outcome->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_outcome->hide();
    layout->addWidget(m_outcome);
    addHeading(*layout, tr("From the command line"));
    m_commandGrid = new QGridLayout;
    m_commandGrid->setHorizontalSpacing(kGrid);
    m_commandGrid->setVerticalSpacing(4);
    m_commandGrid->setColumnStretch(1, 1);
    layout->addLayout(m_commandGrid);
    m_program = addProgram(*layout);
    scroll->setWidget(box);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    return scroll;
}

void ExportPage::addPathRow(QVBoxLayout& layout) {
    m_path = new QLineEdit(this);
    m_path->setObjectName(QStringLiteral("enginePath"));
    m_path->setAccessibleName(tr("Engine file"));
    auto* browse = new QPushButton(tr("Browse…"), this);
    m_export = new QPushButton(tr("Export engine"), this);
    m_export->setObjectName(QStringLiteral("exportEngine"));
    m_export->setProperty("primary", true);
    auto* row = new QHBoxLayout;
    row->addWidget(new QLabel(tr("Engine file"), this));
    row->addWidget(m_path, 1);
    row->addWidget(browse);
    row->addWidget(m_export);
    layout.addLayout(row);
    connect(m_path, &QLineEdit::textEdited, this, [this] { m_isPathOwn = true; });
    connect(m_path, &QLineEdit::textChanged, this, &ExportPage::updateSnippets);
    connect(browse, &QPushButton::clicked, this, [this] {
        const QString path = askSavePath(this, tr("Export engine"), m_path->text(), tr("Engines (*.engine)"));
        if (path.isEmpty()) return;
        m_isPathOwn = true;
        m_path->setText(path);
        m_allowedPath = path;  // the dialog has asked
    });
    connect(m_export, &QPushButton::clicked, this, &ExportPage::exportEngine);
}

void ExportPage::addReportButtons(QVBoxLayout& layout) {
    constexpr int kReportColumns = 3;
    auto* reports = new QGridLayout;
    reports->setHorizontalSpacing(kGrid);
    reports->setVerticalSpacing(4);
    reports->setColumnStretch(kReportColumns, 1);
    layout.addLayout(reports);
    const auto place = [reports](QWidget* widget) { reports->addWidget(widget, reports->count() / kReportColumns, reports->count() % kReportColumns); };
    for (const auto& [text, report] : {std::pair{tr("Report as HTML…"), Report::Html}, {tr("Layers as CSV…"), Report::LayerCsv}, {tr("Profile as JSON…"), Report::ProfileJson}, {tr("Layer info as JSON…"), Report::LayerInfoJson}}) {
        auto* button = new QPushButton(text, this);
        place(button);
        m_reportButtons.push_back(button);
        connect(button, &QPushButton::clicked, this, [this, report = report, text = text] {
            const QString suggestion = QFileInfo(m_path->text()).path() + '/' + QFileInfo(m_path->text()).completeBaseName() + reportSuffix(report);
            const QString title = tr("Save %1").arg(insideSentence(QString(text).remove(QChar(0x2026))));
            const QString path = askSavePath(this, title, suggestion, reportFilter(report));
            if (!path.isEmpty()) saveReport(report, path);
        });
    }
    for (const char* id : {"exportGraphPng", "exportGraphSvg"}) {
        QAction* action = context().action(QLatin1String(id));
        if (!action) continue;
        auto* button = new QPushButton(QLatin1String(id) == QLatin1String("exportGraphPng") ? tr("Graph as PNG…") : tr("Graph as SVG…"), this);
        button->setToolTip(action->toolTip());
        place(button);
        connect(button, &QPushButton::clicked, action, &QAction::trigger);
    }
}

void ExportPage::addHeading(QVBoxLayout& layout, const QString& heading) {
    auto* title = new QLabel(heading, this);
    title->setFont(Theme::systemFont(0, true));
    title->setContentsMargins(0, kGrid, 0, 0);
    layout.addWidget(title);
}

QPushButton* ExportPage::makeCopyButton(const QString& what, const std::function<QString()>& text) {
    auto* copy = new QPushButton(tr("Copy"), this);
    copy->setAccessibleName(tr("Copy “%1”").arg(what));
    copy->setToolTip(copy->accessibleName());
    connect(copy, &QPushButton::clicked, this, [copy, text] {
        QApplication::clipboard()->setText(text());
        copy->setText(tr("Copied"));
        QTimer::singleShot(kCopiedMs, copy, [copy] { copy->setText(tr("Copy")); });
    });
    copy->setMinimumWidth(std::max(copy->sizeHint().width(), copy->fontMetrics().horizontalAdvance(tr("Copied")) + 3 * kGrid));
    return copy;
}

void ExportPage::fillCommands(const std::vector<ExportCommand>& commands) {
    while (m_commands.size() < commands.size()) {
        const int row = static_cast<int>(m_commands.size());
        CommandRow line{new QLabel(this), new CommandText(this), nullptr};
        line.title->setContentsMargins(0, 4, 0, 0);
        line.text->setObjectName(QStringLiteral("exportCommand%1").arg(row));
        line.copy = makeCopyButton(commands[static_cast<size_t>(row)].title, [edit = line.text] { return edit->text(); });
        line.title->setForegroundRole(QPalette::PlaceholderText);
        m_commandGrid->addWidget(line.title, row, 0, Qt::AlignTop);
        m_commandGrid->addWidget(line.text, row, 1, Qt::AlignTop);
        m_commandGrid->addWidget(line.copy, row, 2, Qt::AlignTop);
        m_commands.push_back(line);
    }
    for (size_t row = 0; row < m_commands.size(); ++row) {
        const bool isUsed = row < commands.size();
        for (QWidget* widget : std::initializer_list<QWidget*>{m_commands[row].title, m_commands[row].text, m_commands[row].copy}) widget->setVisible(isUsed);
        if (!isUsed) continue;
        m_commands[row].title->setText(commands[row].title);
        m_commands[row].text->setText(commands[row].command);
        m_commands[row].text->setAccessibleName(commands[row].title);
    }
}

QPlainTextEdit* ExportPage::addProgram(QVBoxLayout& layout) {
    constexpr int kLines = 14;
    auto* row = new QHBoxLayout;
    row->setContentsMargins(0, kGrid, 0, 0);
    auto* title = new QLabel(tr("Use it from C++"), this);
    title->setFont(Theme::systemFont(0, true));
    auto* text = new QPlainTextEdit(this);
    row->addWidget(title);
    row->addStretch(1);
    row->addWidget(makeCopyButton(title->text(), [text] { return text->toPlainText(); }));
    layout.addLayout(row);
    text->setObjectName(QStringLiteral("exportProgram"));
    text->setReadOnly(true);
    text->setFont(Theme::monoFont(-1));
    text->setLineWrapMode(QPlainTextEdit::NoWrap);
    text->setTabChangesFocus(true);
    text->setBackgroundVisible(false);
    text->viewport()->setBackgroundRole(QPalette::Window);
    text->setMinimumHeight(QFontMetrics(text->font()).lineSpacing() * kLines + 2 * kGrid);
    layout.addWidget(text, 1);
    return text;
}

QWidget* ExportPage::focusTarget() {
    return m_path;
}

std::shared_ptr<const Build> ExportPage::chosen() const {
    return context().session().build(m_builds->currentData().toInt());
}

void ExportPage::followBuilds() {
    const int old = m_builds->currentData().toInt();
    m_builds->clear();
    for (const auto& build : context().session().builds()) m_builds->addItem(buildLabel(*build), build->id);
    const int at = m_builds->findData(old);
    m_builds->setCurrentIndex(at >= 0 ? at : m_builds->count() - 1);
    m_builds->setVisible(m_builds->count() > 0);
    showBuild();
}

void ExportPage::followCurrent() {
    const auto current = context().currentBuild();
    if (!current) return;
    m_builds->setCurrentIndex(m_builds->findData(current->id));
    showBuild();
}

void ExportPage::showBuild() {
    const auto build = chosen();
    if (m_job == 0 && build && build->id != m_outcomeBuild) say({}, false);  // what was written is another's
    const bool hasModel = context().model() != nullptr;
    m_empty->setText(hasModel ? tr("Build and profile first; then its engine can be exported · Ctrl+B") : tr("Open a model and build it; then its engine can be exported · Ctrl+O"));
    m_empty->setAction(hasModel ? context().action(QStringLiteral("build")) : nullptr);
    m_stack->setCurrentIndex(build && build->engine ? 1 : 0);
    if (!build || !build->engine) {
        setQuestion(tr("What do I ship?"));
        return;
    }
    const ExportFacts facts = exportFacts(*build);
    setQuestion(tr("An engine of %1 with %2 layers").arg(formatBytes(static_cast<double>(build->engineBytes))).arg(build->engine->graph().layers.size()));
    m_contents->setSections({section(tr("What is in it"), facts.contents), section(tr("Where it runs"), facts.machine)});
    // All but the last are about times.
    for (size_t at = 0; at + 1 < m_reportButtons.size(); ++at) {
        m_reportButtons[at]->setEnabled(build->profile != nullptr);
        m_reportButtons[at]->setToolTip(build->profile ? QString() : tr("%1 was built without a profile: build and profile to have times").arg(QString::fromStdString(build->name)));
    }
    const auto model = context().model();
    if (!m_isPathOwn && model)
        m_path->setText(QFileInfo(QString::fromStdString(model->path)).absolutePath() + '/' + engineFileName(*build, QString::fromStdString(model->name)));
    updateSnippets();
}

void ExportPage::updateSnippets() {
    const auto build = chosen();
    if (!build || !build->engine) return;
    const auto model = context().model();
    fillCommands(exportCommands(*build, model ? QString::fromStdString(model->path) : QString(), m_path->text()));
    m_program->setPlainText(cppProgram(*build, m_path->text()));
    m_export->setEnabled(!m_path->text().trimmed().isEmpty());
}

void ExportPage::exportEngine() {
    const auto build = chosen();
    if (!build) return;
    const QString path = m_path->text().trimmed();
    // The same build may write its own file again; another's, or one that was there before, is not replaced unasked.
    const bool isOwn = path == m_allowedPath || (path == m_writtenPath && build->id == m_writtenBuild);
    if (!isOwn && !mayReplace(this, path)) return;
    m_allowedPath.clear();
    m_writtenPath.clear();
    m_jobPath = path;
    m_outcomeBuild = m_writtenBuild = build->id;
    m_isJobEngine = true;
    m_job = context().session().exportEngine(build->id, m_jobPath.toStdString());
    say(tr("Writing %1…").arg(m_jobPath), false);
}

void ExportPage::saveReport(Report report, const QString& path) {
    const auto build = chosen();
    if (!build) return;
    m_jobPath = path;
    m_outcomeBuild = build->id;
    m_isJobEngine = false;
    m_job = context().session().jobs().submit(
        JobKind::Export, "Save " + QFileInfo(path).fileName().toStdString(),
        [build, report, path = path.toStdString()](JobContext&) {
            const std::string text = reportText(report, *build);
            return writeFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
        });
    say(tr("Writing %1…").arg(path), false);
}

void ExportPage::followJob() {
    if (m_job == 0) return;
    const auto job = context().session().jobs().info(m_job);
    if (job && !isFinished(job->state)) return;
    m_job = 0;
    if (!job) return say({}, false);  // so long ago that nobody knows how it ended
    if (job->state == JobState::Succeeded && m_isJobEngine) m_writtenPath = m_jobPath;
    if (job->state == JobState::Succeeded)
        say(tr("Wrote %1, %2").arg(m_jobPath, formatBytes(static_cast<double>(QFileInfo(m_jobPath).size()))), false);
    else
        say(job->state == JobState::Cancelled ? tr("Cancelled; nothing was written")
                                              : QString::fromStdString(job->result.message()),
            job->state == JobState::Failed);
}

void ExportPage::say(const QString& text, bool isError) {
    m_isOutcomeError = isError;
    m_outcome->setText(text);
    m_outcome->setVisible(!text.isEmpty());
    const ThemeColours& colours = Theme::instance().colours();
    // A palette would lose against the window's style sheet.
    m_outcome->setStyleSheet(QStringLiteral("color: %1").arg((isError ? colours.bad : colours.good).name()));
}

}  // namespace strobe
