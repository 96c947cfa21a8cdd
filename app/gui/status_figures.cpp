#include "app/gui/status_figures.h"

#include <QHBoxLayout>

#include "engine_core/onnx/importer.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/target_device.h"
#include "views/models/workbench_context.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/number_format.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kSaidMs = 6000;

}  // namespace

StatusFigures::StatusFigures(WorkbenchContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_strip(new StatusStrip(this)),
      m_progress(new ProgressStrip(this)),
      m_said(new ElidedLabel({}, this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_strip);
    layout->addStretch(1);
    layout->addWidget(m_said);
    layout->addWidget(m_progress, 100);
    setMinimumHeight(m_progress->sizeHint().height());  // the strip does not grow when a job begins
    m_progress->setObjectName("jobProgress");
    m_progress->hide();
    m_said->setObjectName("statusNote");
    m_said->setContentsMargins(kGrid, 0, kGrid, 0);
    m_said->hide();
    m_forget.setSingleShot(true);
    m_forget.setInterval(kSaidMs);
    connect(&m_forget, &QTimer::timeout, m_said, &QWidget::hide);
    connect(&context, &WorkbenchContext::modelChanged, this, &StatusFigures::showFigures);
    connect(&context, &WorkbenchContext::settingsChanged, this, &StatusFigures::showFigures);
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &StatusFigures::showFigures);
    connect(&context, &WorkbenchContext::jobsChanged, this, &StatusFigures::showJobs);
    connect(m_strip, &StatusStrip::segmentClicked, this, [this](int index) {
        if (index > 0) m_context.showPage(QStringLiteral("layersPage"));
    });
    connect(m_progress, &ProgressStrip::cancelRequested, this, [this] { m_context.session().jobs().cancel(m_shown); });
    showFigures();
    showJobs();
}

void StatusFigures::showFigures() {
    const Settings settings = m_context.session().settings();
    const DeviceInfo device = deviceOf(m_context.session(), settings);
    QStringList texts{deviceText(device, settings.builder.threads)};
    QStringList tips{toQString(device.unavailableReason.empty() ? device.fingerprint : device.unavailableReason)};
    const auto model = m_context.model();
    const auto build = m_context.currentBuild();
    if (model) {
        const QString size = formatBytes(static_cast<double>(model->imported->fileBytes));
        const QString nodes = formatCount(static_cast<int64_t>(model->parsed->sourceNodes().size()));
        texts += build ? tr("model %1, %2 nodes → %3 layers").arg(size, nodes, formatCount(static_cast<int64_t>(build->engine->graph().layers.size())))
                       : tr("model %1, %2 nodes").arg(size, nodes);
        tips += toQString(model->path);
    }
    if (build && build->profile && !m_isBusy) {
        const Statistics& latency = build->profile->latency;
        texts += markedTime(*build, latencyText(latency));
        const QString doubt = doubtText(*build);
        tips += (doubt.isEmpty() ? QString() : doubt + "\n\n") + tr("%1, end to end: median of %2 runs ± the 95 % confidence of that median.\nSpread: how far single runs scatter, as the interquartile range scaled to a σ that outliers do not move").arg(toQString(build->name), formatCount(latency.count));
        const Profile& profile = *build->profile;
        texts += tr("layers %1, %2 of the run with clocks")
                     .arg(formatTime(profile.layersSum / 1e3), formatPercent(profile.coverage()));
        const QString clocks = clocksText(*build);
        tips += tr("Layer times come from runs with a clock around every layer; what is missing there was spent between the layers.") +
                (clocks.isEmpty() ? QString() : '\n' + clocks);
    }
    m_strip->setSegments(texts, tips);
}

void StatusFigures::showJobs() {
    const auto& jobs = m_context.jobs();
    int waiting = 0;
    const JobInfo* running = nullptr;
    for (const JobInfo& job : jobs) {
        if (job.state == JobState::Running) running = &job;
        if (job.state == JobState::Queued) ++waiting;
    }
    m_progress->setVisible(running != nullptr);
    if (const bool isBusy = running != nullptr; isBusy != m_isBusy) {
        m_isBusy = isBusy;
        showFigures();  // a job's progress takes the room of the last build's times
    }
    if (!running) return;
    m_shown = running->id;
    QString title = toQString(running->title);
    if (waiting > 0) title += tr(" (+%1)").arg(waiting);
    m_progress->setProgress(title, toQString(running->step), running->fraction > 0 ? running->fraction : -1,
                            running->secondsLeft);
    if (running->isCancelling) m_progress->setCancelling();
}

void StatusFigures::say(const QString& what) {
    m_said->setText(what);
    m_said->show();
    m_forget.start();
}

}  // namespace strobe
