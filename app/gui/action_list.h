// Every action of the window, in one place: menus, toolbar, palette and key sheet all read this list.
#pragma once

#include <QAction>
#include <QHash>
#include <QList>
#include <QObject>
#include <functional>

class QKeyEvent;
class QMainWindow;
class QMenu;

namespace strobe {

class ActionList : public QObject {
    Q_OBJECT
public:
    /// Adds every action to the window, so that shortcuts work everywhere in it.
    explicit ActionList(QMainWindow& window);

    QAction& operator[](const QString& id) const;  // requires the id to exist
    void on(const QString& id, std::function<void()> handler);
    /// A disabled action's tooltip says `why`.
    void setEnabled(const QString& id, bool enabled, const QString& why);
    /// Whether Esc is the window's for now, also where a field would use it.
    void setEscapeTaken(bool isTaken) { m_isEscapeTaken = isTaken; }
    /// An action that only the window can name, e.g. of a page. Stands at the end of `menu`.
    QAction& add(const QString& menu, const QString& id, const QString& text, const QString& keys);
    /// Fills the menu bar in the list's order.
    void fillMenus();
    QMenu& menu(const QString& title) const;
    const QList<QAction*>& all() const { return m_all; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    bool isOwnKey(const QKeyEvent& key) const;

    QMainWindow& m_window;
    bool m_isEscapeTaken = false;
    QList<QAction*> m_all;
    QHash<QString, QAction*> m_byId;
    QHash<QString, QMenu*> m_menus;
};

}  // namespace strobe
