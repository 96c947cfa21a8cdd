// A user at the window: finds what is on the screen and acts by mouse and keyboard only.
#pragma once

#include <QApplication>
#include <QDir>
#include <QFileDialog>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QScreen>
#include <QTabBar>
#include <QTest>
#include <QTimer>
#include <QWindow>
#include <functional>

#include "views/widgets/graph_canvas.h"

namespace strobe::testing {

class WindowUser {
public:
    explicit WindowUser(QMainWindow& window) : m_window(window) {}

    /// Events enter by the window, so that what is covered, disabled or elsewhere is not hit.
    void clickAt(QWidget& widget, const QPoint& at, Qt::MouseButton button = Qt::LeftButton, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QWidget& top = *widget.window();
        const QPoint inTop = widget.mapTo(&top, at);
        const QWidget* hit = top.childAt(inTop);
        if (!widget.isVisible() || !widget.isEnabled() || (&top != &widget && hit != &widget && !widget.isAncestorOf(hit)))
            return fail(QStringLiteral("%1 '%2' cannot be clicked").arg(widget.metaObject()->className(), widget.objectName()));
        QTest::mouseClick(top.windowHandle(), button, modifiers, inTop);
    }
    void click(QWidget* widget) {
        if (!widget) return fail("what should be clicked is not there");
        clickAt(*widget, widget->rect().center());
    }
    void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) { QTest::keyClick(keyboard(), key, modifiers); }
    /// ASCII.
    void type(const QString& text) {
        for (const QChar letter : text) QTest::keyClick(keyboard(), letter.toLatin1());
    }
    void replaceText(const QString& text) {
        press(Qt::Key_A, Qt::ControlModifier);
        type(text);
    }

    /// Acts in the next popup or dialog of this type, from inside its event loop.
    template <class Popup>
    void whenUp(std::function<void(Popup&)> act) {
        auto* timer = new QTimer(&m_window);
        QObject::connect(timer, &QTimer::timeout, timer, [timer, act = std::move(act)] {
            QWidget* up = QApplication::activePopupWidget() ? QApplication::activePopupWidget() : QApplication::activeModalWidget();
            auto* popup = qobject_cast<Popup*>(up);
            if (!popup || !popup->windowHandle() || !popup->windowHandle()->isExposed()) return;
            timer->stop();
            timer->deleteLater();
            act(*popup);
        });
        timer->start(10);
    }
    /// Clicks this entry of the next menu that opens; Escape when it is not there.
    void whenMenuChoose(const QString& text) {
        whenUp<QMenu>([this, text](QMenu& menu) { choose(menu, text); });
    }
    void chooseFromMenuBar(const QString& menu, const QString& text) {
        QMenuBar& bar = *m_window.menuBar();
        for (QAction* action : bar.actions()) {
            if (QString(action->text()).remove('&') != menu) continue;
            whenMenuChoose(text);
            clickAt(bar, bar.actionGeometry(action).center());
            QTRY_VERIFY(QApplication::activePopupWidget() == nullptr);
            return;
        }
        fail("no menu " + menu);
    }
    /// The tab of a dock whose title begins so.
    void clickTab(const QString& title) {
        for (auto* bar : m_window.findChildren<QTabBar*>())
            for (int tab = 0; tab < bar->count(); ++tab)
                if (bar->isVisible() && bar->tabText(tab).startsWith(title)) return clickAt(*bar, bar->tabRect(tab).center());
        fail("no tab " + title);
    }
    /// Types the path into the file dialog that `open` brings up.
    void answerFileDialog(const QString& path, const std::function<void()>& open) {
        whenUp<QFileDialog>([this, path](QFileDialog&) {
            replaceText(path);
            press(Qt::Key_Return);
        });
        open();
    }
    void clickNode(GraphCanvas& canvas, int64_t id, Qt::MouseButton button = Qt::LeftButton) {
        clickAt(canvas, canvas.nodeRect(id).center().toPoint(), button);
    }
    static bool isOnScreen(const GraphCanvas& canvas, int64_t id) {
        const QRectF rect = canvas.nodeRect(id);
        return !rect.isEmpty() && QRectF(canvas.rect()).contains(rect);
    }

private:
    static QWindow* keyboard() { return QGuiApplication::focusWindow(); }
    void choose(QMenu& menu, const QString& text) {
        for (QAction* action : menu.actions())
            if (QString(action->text()).remove('&') == text && action->isEnabled()) {
                QTest::mouseClick(menu.windowHandle(), Qt::LeftButton, {}, menu.actionGeometry(action).center());
                return;
            }
        press(Qt::Key_Escape);
        fail(QStringLiteral("the menu cannot choose '%1'").arg(text));
    }

    /// With a picture of what the user saw.
    void fail(const QString& why) {
        const QString picture = QDir::temp().filePath("strobe_window_user.png");
        m_window.screen()->grabWindow(0).save(picture);
        QFAIL(qPrintable(why + "; see " + picture));
    }

    QMainWindow& m_window;
};

}  // namespace strobe::testing
