#include "app/gui/job_wait.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QEventLoop>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kQuietMs = 400;  // what ends sooner shows no dialog
constexpr int kBarSteps = 1000, kDialogWidth = 420;

bool hasEnded(const WorkbenchContext& context, JobId id) {
    const auto job = context.session().jobs().info(id);
    return !job || isFinished(job->state);
}

class JobDialog : public QDialog {
public:
    JobDialog(WorkbenchContext& context, JobId id, QWidget& window)
        : QDialog(&window), m_context(context), m_id(id), m_text(new QLabel(this)), m_bar(new QProgressBar(this)) {
        setObjectName("jobDialog");
        setWindowTitle(QObject::tr("Please wait"));
        auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
        QPushButton& cancel = *buttons->button(QDialogButtonBox::Cancel);
        cancel.setIcon({});
        cancel.setAutoDefault(false);  // a Return too many must not undo the Save before it
        auto* layout = new QVBoxLayout(this);
        layout->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
        layout->setSpacing(kGrid);
        for (QWidget* part : std::initializer_list<QWidget*>{m_text, m_bar, buttons}) layout->addWidget(part);
        m_text->setWordWrap(true);
        m_bar->setTextVisible(false);
        setMinimumWidth(kDialogWidth);
        connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
        connect(&context, &WorkbenchContext::jobsChanged, this, &JobDialog::follow);
        follow();
    }

private:
    void follow() {
        const auto job = m_context.session().jobs().info(m_id);
        if (!job || isFinished(job->state)) return accept();
        const QString title = toQString(job->title), step = toQString(job->step);
        m_text->setText(step.isEmpty() ? title : QStringLiteral("%1: %2").arg(title, step));
        m_bar->setRange(0, job->fraction > 0 ? kBarSteps : 0);  // 0 to 0: at work, how far is unknown
        m_bar->setValue(static_cast<int>(job->fraction * kBarSteps));
    }

    WorkbenchContext& m_context;
    const JobId m_id;
    QLabel* m_text;
    QProgressBar* m_bar;
};

/// `limitMs` < 0: none.
void waitQuietly(WorkbenchContext& context, JobId id, int limitMs) {
    if (hasEnded(context, id)) return;
    QEventLoop loop;
    QObject::connect(&context, &WorkbenchContext::jobsChanged, &loop, [&] {
        if (hasEnded(context, id)) loop.quit();
    });
    if (limitMs >= 0) QTimer::singleShot(limitMs, &loop, &QEventLoop::quit);
    loop.exec(QEventLoop::ExcludeUserInputEvents);
}

}  // namespace

std::optional<JobInfo> waitForJob(WorkbenchContext& context, JobId id, QWidget& window) {
    waitQuietly(context, id, kQuietMs);
    if (!hasEnded(context, id) && JobDialog(context, id, window).exec() == QDialog::Rejected) {
        context.session().jobs().cancel(id);
        waitQuietly(context, id, -1);
    }
    return context.session().jobs().info(id);
}

}  // namespace strobe
