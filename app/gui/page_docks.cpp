#include "app/gui/page_docks.h"

#include <QDockWidget>
#include <QGuiApplication>
#include <QMainWindow>
#include <QPainter>
#include <QResizeEvent>
#include <algorithm>
#include <utility>

#include "app/gui/action_list.h"
#include "views/models/workbench_context.h"
#include "views/pages/compare/compare_page.h"
#include "views/pages/export/export_page.h"
#include "views/pages/inspector/inspector_page.h"
#include "views/pages/layers/layers_page.h"
#include "views/pages/log/log_page.h"
#include "views/pages/problems/problems_page.h"
#include "views/pages/session/session_page.h"
#include "views/pages/settings/settings_page.h"

namespace strobe {
namespace {

/// Floats without a frame of the desktop's, since its title bar is the page's own: so it draws one.
class FramedDock : public QDockWidget {
public:
    using QDockWidget::QDockWidget;

protected:
    void paintEvent(QPaintEvent* event) override {
        QDockWidget::paintEvent(event);
        if (!isFloating()) return;
        QPainter painter(this);
        painter.setPen(palette().color(QPalette::Dark));
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
};

}  // namespace

PageDocks::PageDocks(QMainWindow& window, WorkbenchContext& context, ActionList& actions) : QObject(&window), m_window(window), m_actions(actions) {
    // Docks say that they moved before they have: the titles follow when they have.
    m_titles.setSingleShot(true);
    m_titles.setInterval(0);
    connect(&m_titles, &QTimer::timeout, this, &PageDocks::showTitles);
    for (const auto& [timer, act] :
         {std::pair{&m_remember, &PageDocks::rememberExtents}, {&m_widen, &PageDocks::widen}}) {
        timer->setSingleShot(true);
        timer->setInterval(0);
        connect(timer, &QTimer::timeout, this, act);
    }
    window.installEventFilter(this);
    window.setDockOptions(QMainWindow::AnimatedDocks | QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
    window.setTabPosition(Qt::BottomDockWidgetArea, QTabWidget::North);
    window.setTabPosition(Qt::RightDockWidgetArea, QTabWidget::North);
    // The side docks keep their height; tables get the middle.
    window.setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    window.setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    add(new SessionPage(context), Qt::LeftDockWidgetArea, {});
    add(new SettingsPage(context), Qt::LeftDockWidgetArea, QStringLiteral("Ctrl+,"));
    add(new InspectorPage(context), Qt::RightDockWidgetArea, QStringLiteral("Ctrl+I"));
    add(new LayersPage(context), Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+2"));
    add(new ComparePage(context), Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+3"));
    auto* problems = new ProblemsPage(context);
    add(problems, Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+4"));
    add(new ExportPage(context), Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+5"));
    add(new LogPage(context), Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+6"));
    QDockWidget* problemsDock = m_docks.value(problems->objectName());
    const auto titleProblems = [problemsDock, problems] {
        const int count = problems->problemCount();
        problemsDock->setWindowTitle(count == 0 ? problems->title() : tr("%1 (%2)").arg(problems->title()).arg(count));
    };
    connect(problems, &ProblemsPage::problemCountChanged, this, titleProblems);
    titleProblems();
    arrange();
}

void PageDocks::add(Page* page, Qt::DockWidgetArea area, const QString& keys) {
    auto* dock = new FramedDock(page->title(), &m_window);
    dock->setObjectName(page->objectName() + "Dock");
    dock->setWidget(page);
    dock->setTitleBarWidget(page->takeHeader());
    connect(page, &Page::closeRequested, dock, &QDockWidget::close);
    for (const auto signal : {&QDockWidget::topLevelChanged, &QDockWidget::visibilityChanged}) connect(dock, signal, &m_titles, qOverload<>(&QTimer::start));
    connect(dock, &QDockWidget::dockLocationChanged, &m_titles, qOverload<>(&QTimer::start));
    dock->installEventFilter(this);
    m_window.addDockWidget(area, dock);
    m_pages.insert(page->objectName(), page);
    m_docks.insert(page->objectName(), dock);
    m_order += page;
    QAction& action = m_actions.add(QStringLiteral("&View"), QStringLiteral("page:") + page->objectName(), tr("Page: %1").arg(page->title()), keys);
    connect(&action, &QAction::triggered, this, [this, name = page->objectName()] { show(name, true); });
}

void PageDocks::arrange() {
    QDockWidget* previous = nullptr;
    QDockWidget* front = nullptr;
    for (Page* page : m_order) {
        QDockWidget* dock = m_docks.value(page->objectName());
        dock->setFloating(false);
        dock->show();
        if (m_window.dockWidgetArea(dock) != Qt::BottomDockWidgetArea) continue;
        if (previous) m_window.tabifyDockWidget(previous, dock);
        if (!front) front = dock;
        previous = dock;
    }
    if (front) front->raise();
    const int width = m_window.width(), height = m_window.height();
    // A session lists a few builds; settings are long.
    if (m_docks.contains("sessionPage") && m_docks.contains("settingsPage"))
        m_window.resizeDocks({m_docks.value("sessionPage"), m_docks.value("settingsPage")}, {height / 5, height * 7 / 10}, Qt::Vertical);
    if (QDockWidget* session = m_docks.value("sessionPage")) m_window.resizeDocks({session}, {width * 3 / 16}, Qt::Horizontal);
    if (QDockWidget* inspector = m_docks.value("inspectorPage")) m_window.resizeDocks({inspector}, {width / 5}, Qt::Horizontal);
    if (front) m_window.resizeDocks({front}, {height * 2 / 5}, Qt::Vertical);
    showTitles();
    m_remember.start();
}

// A smaller window takes room from its docks, and a larger one gives it to the middle only.
bool PageDocks::eventFilter(QObject* watched, QEvent* event) {
    if (watched == &m_window && event->type() == QEvent::Show) m_remember.start();
    if (event->type() != QEvent::Resize) return false;
    const auto& resize = *static_cast<QResizeEvent*>(event);
    if (watched == &m_window) {
        if (resize.size().width() > resize.oldSize().width() || resize.size().height() > resize.oldSize().height())
            m_widen.start();
    } else if (QGuiApplication::mouseButtons().testFlag(Qt::LeftButton)) {
        m_remember.start();  // by the line between them
    }
    return false;
}

int PageDocks::extentOf(const QDockWidget& dock) const {
    const auto area = m_window.dockWidgetArea(const_cast<QDockWidget*>(&dock));
    return area == Qt::LeftDockWidgetArea || area == Qt::RightDockWidgetArea ? dock.width() : dock.height();
}

void PageDocks::rememberExtents() {
    for (QDockWidget* dock : m_docks)
        if (dock->isVisible() && !dock->isFloating()) m_extents[dock->objectName()] = extentOf(*dock);
}

void PageDocks::widen() {
    for (QDockWidget* dock : m_docks) {
        const int wanted = m_extents.value(dock->objectName());
        if (!dock->isVisible() || dock->isFloating() || extentOf(*dock) >= wanted) continue;
        const auto area = m_window.dockWidgetArea(dock);
        const bool isAside = area == Qt::LeftDockWidgetArea || area == Qt::RightDockWidgetArea;
        m_window.resizeDocks({dock}, {wanted}, isAside ? Qt::Horizontal : Qt::Vertical);
    }
}

void PageDocks::showTitles() {
    for (Page* page : m_order) {
        QDockWidget* dock = m_docks.value(page->objectName());
        const auto others = m_window.tabifiedDockWidgets(dock);
        const bool hasTab = !dock->isFloating() && std::any_of(others.begin(), others.end(), [](const QDockWidget* other) { return !other->isHidden(); });
        page->setTitleShown(!hasTab);
    }
}

void PageDocks::reset() {
    for (Page* page : m_order) {
        QDockWidget* dock = m_docks.value(page->objectName());
        const QString name = page->objectName();
        const auto area = name == QLatin1String("sessionPage") || name == QLatin1String("settingsPage") ? Qt::LeftDockWidgetArea
                          : name == QLatin1String("inspectorPage") ? Qt::RightDockWidgetArea
                                                                   : Qt::BottomDockWidgetArea;
        m_window.addDockWidget(area, dock);
    }
    arrange();
}

void PageDocks::show(const QString& name, bool focus) {
    QDockWidget* dock = m_docks.value(name);
    if (!dock) return;
    dock->show();
    dock->raise();
    if (focus) m_pages.value(name)->focusTarget()->setFocus(Qt::ShortcutFocusReason);
}

}  // namespace strobe
