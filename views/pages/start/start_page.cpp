#include "views/pages/start/start_page.h"

#include <QAction>
#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/models/recent_files.h"
#include "views/models/workbench_context.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kShownFiles = 6;  // more do not fit above the tabs
constexpr int kColumnWidth = 640;
constexpr QSize kPicture(96, 24);

QLabel* quiet(const QString& text) {
    auto* label = new QLabel(text);
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

QString shortFolder(const QString& path) {
    QString folder = QFileInfo(path).absolutePath();
    if (folder.startsWith(QDir::homePath())) folder.replace(0, QDir::homePath().size(), "~");
    return folder;
}

}  // namespace

StartPage::StartPage(WorkbenchContext& workbench, RecentFiles& recent, const QString& samplePath, QWidget* parent)
    : Page("startPage", tr("Start"), {}, workbench, parent), m_recent(recent), m_rows(new QGridLayout), m_recentHeading(new QLabel(tr("Recent"), this)) {
    header().hide();
    auto* column = new QWidget(this);
    column->setFixedWidth(kColumnWidth);
    auto* layout = new QVBoxLayout(column);
    layout->setSpacing(2 * kGrid);
    auto* heading = new QLabel(tr("What do you want to open?"));
    heading->setFont(Theme::systemFont(8, true));
    layout->addWidget(heading);
    layout->addWidget(quiet(tr("Drop an ONNX model or a Strobe session anywhere in this window.")));
    layout->addWidget(makeActions(samplePath));
    m_recentHeading->setFont(Theme::systemFont(0, true));
    m_recentHeading->setContentsMargins(0, 2 * kGrid, 0, 0);
    layout->addWidget(m_recentHeading);
    m_rows->setHorizontalSpacing(2 * kGrid);
    m_rows->setVerticalSpacing(4);
    m_rows->setColumnStretch(2, 1);
    layout->addLayout(m_rows);
    layout->addWidget(makeHelp());
    body().addStretch(2);
    body().addWidget(column, 0, Qt::AlignHCenter);
    body().addStretch(3);
    connect(&m_recent, &RecentFiles::changed, this, &StartPage::fillRecent);
    fillRecent();
}

QWidget* StartPage::makeActions(const QString& samplePath) {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, kGrid, 0, 0);
    auto* open = new QPushButton(tr("Open a model…"));
    open->setObjectName("openModel");
    open->setProperty("primary", true);
    connect(open, &QPushButton::clicked, this, [this] {
        if (QAction* action = context().action("open")) action->trigger();
    });
    layout->addWidget(open);
    auto* sample = new QPushButton(tr("Open the sample: handwritten digits"));
    sample->setObjectName("openSample");
    sample->setEnabled(QFileInfo::exists(samplePath));
    sample->setToolTip(sample->isEnabled() ? samplePath : tr("The sample is not installed: %1 is missing").arg(samplePath));
    connect(sample, &QPushButton::clicked, this, [this, samplePath] { emit openRequested(samplePath); });
    layout->addWidget(sample);
    layout->addStretch(1);
    return row;
}

QWidget* StartPage::makeHelp() {
    auto* help = new QWidget;
    auto* layout = new QGridLayout(help);
    layout->setContentsMargins(0, 3 * kGrid, 0, 0);
    layout->setHorizontalSpacing(2 * kGrid);
    layout->setColumnStretch(1, 1);
    const std::pair<QString, QString> lines[] = {
        {tr("Ctrl+B"), tr("Build and profile: see where the time goes, layer by layer")},
        {tr("Precision"), tr("Choose another one above and build again; Compare shows what it gains and what it costs")},
        {tr("Ctrl+K"), tr("Every command by name; ? lists the keys")},
    };
    int at = 0;
    for (const auto& [key, text] : lines) {
        auto* name = new QLabel(key);
        name->setFont(Theme::systemFont(0, true));
        layout->addWidget(name, at, 0);
        layout->addWidget(quiet(text), at++, 1);
    }
    return help;
}

void StartPage::fillRecent() {
    while (QLayoutItem* item = m_rows->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    m_recentHeading->setVisible(!m_recent.files().empty());
    int at = 0;
    for (const RecentFile& file : m_recent.files()) {
        if (at == kShownFiles) break;  // Open's menu has the others
        const bool exists = QFileInfo::exists(file.path);
        auto* picture = new QLabel;
        const QImage thumbnail = file.thumbnail();
        if (!thumbnail.isNull()) picture->setPixmap(QPixmap::fromImage(thumbnail.scaled(kPicture * devicePixelRatioF(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation)));
        picture->setFixedSize(kPicture);
        picture->setScaledContents(true);
        m_rows->addWidget(picture, at, 0);
        auto* name = new QToolButton;
        name->setText(QFileInfo(file.path).fileName());
        name->setToolTip(exists ? file.path : tr("%1 is no longer there").arg(file.path));
        name->setEnabled(exists);
        connect(name, &QToolButton::clicked, this, [this, path = file.path] { emit openRequested(path); });
        m_rows->addWidget(name, at, 1, Qt::AlignLeft);
        auto* folder = new ElidedLabel(shortFolder(file.path), nullptr, Qt::ElideMiddle);
        folder->setForegroundRole(QPalette::PlaceholderText);
        m_rows->addWidget(folder, at, 2);
        auto* figures = new QLabel(file.figures);
        figures->setFont(Theme::figuresFont());
        m_rows->addWidget(figures, at, 3, Qt::AlignRight);
        ++at;
    }
}

void StartPage::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), Theme::instance().colours().surface);
}

}  // namespace strobe
