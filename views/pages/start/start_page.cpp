#include "views/pages/start/start_page.h"

#include <QAction>
#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>

#include "views/models/recent_files.h"
#include "views/models/workbench_context.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kShownFiles = 6;  // more do not fit above the tabs
constexpr int kColumnWidth = 640;
constexpr int kLeastHeight = 340;  // what to open and the last few files
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
    // In a low window the page scrolls: squeezed lines lose their descenders.
    auto* content = new QWidget;
    auto* middle = new QVBoxLayout(content);
    middle->addStretch(2);
    middle->addWidget(column, 0, Qt::AlignHCenter);
    middle->addStretch(3);
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumSize(kColumnWidth + 2 * kGrid, kLeastHeight);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    body().addWidget(scroll);
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
        {tr("Precision"), tr("Choose another one above and build again; Compare shows gain and cost")},
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
        addRecent(file, at++);
    }
}

void StartPage::addRecent(const RecentFile& file, int row) {
    const bool exists = QFileInfo::exists(file.path);
    auto* picture = new QLabel;
    const QImage thumbnail = file.thumbnail();
    if (!thumbnail.isNull())
        picture->setPixmap(QPixmap::fromImage(
            thumbnail.scaled(kPicture * devicePixelRatioF(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation)));
    picture->setFixedSize(kPicture);
    picture->setScaledContents(true);
    auto* name = new QToolButton;
    name->setObjectName(QStringLiteral("recentFile"));
    name->setText(QFileInfo(file.path).fileName());
    name->setToolTip(exists ? file.path : tr("%1 is no longer there").arg(file.path));
    name->setProperty("missing", !exists);
    auto* folder = new ElidedLabel(shortFolder(file.path), nullptr, Qt::ElideMiddle);
    folder->setForegroundRole(QPalette::PlaceholderText);
    auto* figures = new QLabel(exists ? file.figures : tr("missing"));
    figures->setFont(Theme::figuresFont());
    if (!exists) figures->setForegroundRole(QPalette::PlaceholderText);
    m_rows->addWidget(picture, row, 0);
    m_rows->addWidget(name, row, 1, Qt::AlignLeft);
    m_rows->addWidget(folder, row, 2);
    m_rows->addWidget(figures, row, 3, Qt::AlignRight);
    const QList<QAction*> actions = rowActions(*name, file.path, exists);
    for (QWidget* part : std::initializer_list<QWidget*>{picture, name, folder, figures}) {
        part->setContextMenuPolicy(Qt::ActionsContextMenu);
        part->addActions(actions);
    }
    connect(name, &QToolButton::clicked, this, [this, name, path = file.path] {
        if (QFileInfo::exists(path)) return emit openRequested(path);
        // What is left to do with it is in the menu.
        QMenu menu(this);
        menu.addActions(name->actions());
        menu.exec(name->mapToGlobal(QPoint(0, name->height())));
    });
}

QList<QAction*> StartPage::rowActions(QWidget& row, const QString& path, bool exists) {
    const auto action = [&row](const QString& text, const QKeySequence& key, bool isEnabled) {
        auto* made = new QAction(text, &row);
        made->setShortcut(key);
        made->setShortcutContext(Qt::WidgetShortcut);
        made->setEnabled(isEnabled);
        return made;
    };
    const QString folder = QFileInfo(path).absolutePath();
    QAction* open = action(tr("Open"), {}, exists);
    QAction* openFolder = action(tr("Open folder"), {}, QFileInfo::exists(folder));
    QAction* remove = action(tr("Remove from list"), Qt::Key_Delete, true);
    connect(open, &QAction::triggered, this, [this, path] { emit openRequested(path); });
    connect(openFolder, &QAction::triggered, this,
            [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
    // The row that the action belongs to goes with it.
    connect(
        remove, &QAction::triggered, this, [this, path] { removeRecent(path); }, Qt::QueuedConnection);
    return {open, openFolder, remove};
}

void StartPage::removeRecent(const QString& path) {
    const auto& files = m_recent.files();
    const auto at =
        std::find_if(files.begin(), files.end(), [&](const RecentFile& file) { return file.path == path; }) -
        files.begin();
    m_recent.remove(path);
    // The keyboard goes on from the row that moved up.
    if (const int row =
            std::min(static_cast<int>(at), static_cast<int>(std::min<size_t>(files.size(), kShownFiles)) - 1);
        row >= 0)
        m_rows->itemAtPosition(row, 1)->widget()->setFocus();
}

void StartPage::showEvent(QShowEvent* event) {
    fillRecent();  // files may have come and gone
    Page::showEvent(event);
}

void StartPage::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), Theme::instance().colours().surface);
}

}  // namespace strobe
