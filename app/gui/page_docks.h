// The window's dock pages: which there are, where they stand at first, and the actions that bring them to the front.
#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QObject>
#include <QTimer>

class QDockWidget;
class QMainWindow;

namespace strobe {

class ActionList;
class Page;
class WorkbenchContext;

class PageDocks : public QObject {
    Q_OBJECT
public:
    PageDocks(QMainWindow& window, WorkbenchContext& context, ActionList& actions);

    /// Brings a page to the front and gives it the keyboard when asked to.
    void show(const QString& page, bool focus);
    void reset();
    Page* page(const QString& name) const { return m_pages.value(name); }
    QList<Page*> pages() const { return m_order; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void add(Page* page, Qt::DockWidgetArea area, const QString& keys);
    void arrange();
    void showTitles();
    int extentOf(const QDockWidget& dock) const;
    void rememberExtents();
    void widen();

    QMainWindow& m_window;
    ActionList& m_actions;
    QHash<QString, Page*> m_pages;
    QHash<QString, QDockWidget*> m_docks;
    QList<Page*> m_order;
    QTimer m_titles;
    QHash<QString, int> m_extents;  // of docks across the window's edge, as the user left them
    QTimer m_remember, m_widen;
};

}  // namespace strobe
