#include "app/gui/document_controller.h"

#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QMimeData>
#include <QUrl>

#include "app/gui/job_wait.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/recent_files.h"
#include "views/models/workbench_context.h"
#include "views/widgets/file_dialog.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

const QString kSessionSuffix = QStringLiteral("strobe");

bool isSession(const QString& path) {
    return QFileInfo(path).suffix().compare(kSessionSuffix, Qt::CaseInsensitive) == 0;
}

}  // namespace

DocumentController::DocumentController(WorkbenchContext& context, RecentFiles& recent, QWidget& window)
    : QObject(&window), m_context(context), m_recent(recent), m_window(window) {
    connect(&context, &WorkbenchContext::modelChanged, this, &DocumentController::followFiles);
    connect(&context, &WorkbenchContext::documentChanged, this, &DocumentController::followFiles);
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &DocumentController::rememberFigures);
}

QStringList DocumentController::openFiles() const {
    QStringList paths;
    if (const auto model = m_context.model()) paths << toQString(model->path);
    if (const std::string document = m_context.session().documentPath(); !document.empty())
        paths << toQString(document);
    return paths;
}

void DocumentController::followFiles() {
    const QStringList files = openFiles();
    if (files == m_followed) return;
    m_followed = files;
    // What was opened or saved last; a session's model comes along with it, and may lie on another machine.
    if (!files.isEmpty()) m_recent.add(files.back());
    rememberFigures();
}

void DocumentController::rememberFigures() {
    const auto model = m_context.model();
    if (!model) return;
    const auto build = m_context.currentBuild();
    QString figures = tr("%1 nodes").arg(formatCount(static_cast<int64_t>(model->parsed->sourceNodes().size())));
    if (build && build->profile)
        figures += tr(" · %1 %2").arg(toQString(build->name), markedTime(*build, formatTime(build->profile->latency.median / 1e3)));
    for (const QString& path : openFiles()) m_recent.setFigures(path, figures);
}

void DocumentController::openPath(const QString& path) {
    if (!confirmLoss(tr("Opening another file drops the builds of this session."))) return;
    Session& session = m_context.session();
    session.jobs().cancelAll();
    if (isSession(path))
        session.openDocument(path.toStdString());
    else
        session.openModel(path.toStdString());
}

QString DocumentController::folder() const {
    QStringList paths{toQString(m_context.session().documentPath())};
    if (const auto model = m_context.model()) paths << toQString(model->path);
    for (const RecentFile& file : m_recent.files()) paths << file.path;
    for (const QString& path : paths)
        if (const QFileInfo file(path); !path.isEmpty() && file.dir().exists()) return file.absolutePath();
    return QDir::homePath();
}

void DocumentController::openWithDialog() {
    const QString path =
        askOpenPath(&m_window, tr("Open"), folder(), tr("Models and sessions (*.onnx *.strobe);;All files (*)"));
    if (!path.isEmpty()) openPath(path);
}

void DocumentController::reload() {
    const auto model = m_context.model();
    if (!model || !confirmLoss(tr("Reading the model again drops the builds of this session."))) return;
    m_context.session().openModel(model->path);
}

QString DocumentController::askSessionPath() {
    const auto model = m_context.model();
    const QString proposed = QDir(folder()).filePath(model ? QFileInfo(toQString(model->path)).completeBaseName() + '.' + kSessionSuffix : QString());
    return askSavePath(&m_window, tr("Save session"), proposed, tr("Strobe sessions (*.strobe)"), SuffixRule::WhereOther);
}

void DocumentController::save() {
    const QString path = toQString(m_context.session().documentPath());
    if (path.isEmpty())
        saveAs();
    else
        startSave(path);
}

void DocumentController::saveAs() {
    const QString path = askSessionPath();
    if (!path.isEmpty()) startSave(path);
}

void DocumentController::startSave(const QString& path) {
    m_savePath = path;
    m_save = m_context.session().saveAs(path.toStdString());
}

bool DocumentController::isSaving() const {
    const auto job = m_context.session().jobs().info(m_save);
    return job && !isFinished(job->state);
}

bool DocumentController::saveAndWait() {
    Session& session = m_context.session();
    const bool wasSaving = isSaving();
    if (!wasSaving) {
        const QString path = session.documentPath().empty() ? askSessionPath() : toQString(session.documentPath());
        if (path.isEmpty()) return false;
        startSave(path);
    }
    // What else runs or waits would only hold it up, and is not asked for any more.
    for (const JobInfo& job : session.jobs().jobs())
        if (job.id != m_save) session.jobs().cancel(job.id);
    if (!waitForSave()) return false;
    if (!wasSaving || !session.isModified()) return true;
    startSave(m_savePath);  // what changed after that save was asked for
    return waitForSave();
}

bool DocumentController::waitForSave() {
    const auto save = waitForJob(m_context, m_save, m_window);
    if (save && save->state == JobState::Failed)
        QMessageBox::warning(&m_window, tr("Not saved"),
                             tr("%1 was not saved: %2").arg(m_savePath, toQString(save->result.message())));
    return save && save->state == JobState::Succeeded;
}

bool DocumentController::confirmLoss(const QString& question) {
    const Session& session = m_context.session();
    if (!session.isModified() && !isSaving()) return true;
    QMessageBox box(QMessageBox::Question, tr("Unsaved session"), tr("Save this session first?"), QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, &m_window);
    box.setInformativeText(question);
    box.setDefaultButton(QMessageBox::Save);
    const int answer = box.exec();
    if (answer == QMessageBox::Save) return saveAndWait();
    return answer == QMessageBox::Discard;
}

bool DocumentController::mayClose() {
    return confirmLoss(tr("Builds and settings that are not saved are lost."));
}

QString DocumentController::openablePath(const QMimeData& data) {
    if (data.urls().size() != 1 || !data.urls().front().isLocalFile()) return {};
    const QString path = data.urls().front().toLocalFile();
    const QString suffix = QFileInfo(path).suffix().toLower();
    return suffix == QLatin1String("onnx") || suffix == kSessionSuffix ? path : QString();
}

}  // namespace strobe
