#include "views/pages/settings/build_section.h"

#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

#include "views/models/settings_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/number_format.h"
#include "views/widgets/segmented_control.h"

namespace strobe {
namespace {

constexpr int kMostWorkspaceMiB = 1 << 20;

}  // namespace

BuildSection::BuildSection(WorkbenchContext& context, QWidget* parent)
    : SettingsSection(tr("Build"), context, parent),
      m_level(new SegmentedControl(SegmentedControl::Mode::One, this)),
      m_threads(new QSpinBox(this)),
      m_workspace(new QSpinBox(this)),
      m_cache(new QLineEdit(this)) {
    for (int level = 0; level <= 5; ++level) m_level->addSegment(QString::number(level), levelExplanation(level));
    m_level->setObjectName(QStringLiteral("optimizationLevel"));
    auto* levelTitle = new QLabel(tr("Optimisation level"), this);
    levelTitle->setBuddy(m_level);
    body().addWidget(levelTitle);
    body().addWidget(m_level);
    m_explanation = &addNote();
    connect(m_level, &SegmentedControl::currentChanged, this, [this](int level) {
        commit(tr("Optimisation level %1").arg(level), [level](Settings& settings) { settings.builder.optimizationLevel = level; });
    });

    QFormLayout& form = addForm();
    m_threads->setRange(0, 1024);
    m_threads->setSpecialValueText(tr("all cores"));
    m_threads->setObjectName(QStringLiteral("threads"));
    m_workspace->setRange(0, kMostWorkspaceMiB);
    m_workspace->setSuffix(tr(" MiB"));
    m_workspace->setSpecialValueText(tr("no limit"));
    m_workspace->setObjectName(QStringLiteral("workspace"));
    m_workspace->setToolTip(tr("Scratch memory that one layer may use"));
    for (QSpinBox* spin : {m_threads, m_workspace}) {
        spin->setKeyboardTracking(false);
        spin->setFixedWidth(kSpinWidth);
        guardWheel(*spin);
    }
    form.addRow(tr("Threads"), m_threads);
    form.addRow(tr("Workspace limit"), m_workspace);
    for (QWidget* spin : std::initializer_list<QWidget*>{m_threads, m_workspace}) form.setAlignment(spin, Qt::AlignLeft | Qt::AlignVCenter);
    connect(m_threads, &QSpinBox::valueChanged, this, [this](int count) {
        commit(tr("Threads"), [count](Settings& settings) { settings.builder.threads = count; });
    });
    connect(m_workspace, &QSpinBox::valueChanged, this, [this](int mebibytes) {
        commit(tr("Workspace limit"), [mebibytes](Settings& settings) { settings.builder.workspaceLimit = static_cast<size_t>(mebibytes) << 20; });
    });

    m_cache->setObjectName(QStringLiteral("timingCache"));
    m_cache->setPlaceholderText(tr("none: kernels are timed at every build"));
    m_cache->setMinimumWidth(80);
    auto* clear = new QPushButton(tr("Clear"), this);
    clear->setObjectName(QStringLiteral("clearTimingCache"));
    clear->setToolTip(tr("Forgets all measured times, so that the next build times every kernel again"));
    auto* cacheRow = new QHBoxLayout;
    cacheRow->setSpacing(6);
    cacheRow->addWidget(m_cache, 1);
    cacheRow->addWidget(clear);
    addWideRow(form, tr("Timing cache"), *cacheRow);
    m_cacheState = &addNote();
    m_error = &addError(QStringLiteral("timingCacheError"));
    onTyped(*m_cache, [this] {
        commit(
            tr("Timing cache"),
            [this](Settings& settings) { settings.builder.timingCachePath = m_cache->text().trimmed().toStdString(); },
            {m_cache});
    });
    connect(clear, &QPushButton::clicked, this, &BuildSection::clearCache);
}

void BuildSection::clearCache() {
    const Status status = context().session().clearTimingCache();
    setError(*m_error, QString::fromStdString(status.message()));
    refresh(context().session().settings());
}

void BuildSection::refresh(const Settings& settings) {
    const BuilderConfig& builder = settings.builder;
    m_level->setCurrent(builder.optimizationLevel);
    m_explanation->setText(levelExplanation(builder.optimizationLevel));
    const QSignalBlocker quietThreads(m_threads), quietWorkspace(m_workspace);
    m_threads->setValue(builder.threads);
    m_workspace->setValue(static_cast<int>(builder.workspaceLimit >> 20));
    const QString path = QString::fromStdString(builder.timingCachePath);
    // A path too long for the field shows its end, which tells more than its beginning.
    showText(*m_cache, path);
    m_cache->setToolTip(path);
    const QFileInfo file(path);
    m_cacheState->setText(path.isEmpty()     ? QString()
                          : file.exists() ? tr("Holds %1 of measured times; a rebuild with the same settings takes them over.").arg(formatBytes(static_cast<double>(file.size())))
                                          : tr("Empty until the next build."));
}

}  // namespace strobe
