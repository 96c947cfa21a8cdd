// Every action of the window by name (Ctrl+K), and the sheet of keys (?). Both read a list of QActions.
#pragma once

#include <QAction>
#include <QDialog>
#include <QLineEdit>
#include <QList>
#include <QListWidget>

namespace strobe {

// How well `query` fits `text`: letters in order, better at word starts and in runs; 0 is no match.
int fuzzyScore(const QString& query, const QString& text);
// The action's text without mnemonics.
QString actionLabel(const QAction& action);

class CommandPalette : public QDialog {
    Q_OBJECT
public:
    // The actions must outlive the palette's opening; disabled ones are shown last and cannot be run.
    explicit CommandPalette(QWidget* parent);
    void showFor(const QList<QAction*>& actions);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refill();
    void run();

    QLineEdit* m_edit;
    QListWidget* m_list;
    QList<QAction*> m_actions;
};

// A dialog that lists the actions with a shortcut, by menu (QAction property "category", else "General").
class KeySheet : public QDialog {
    Q_OBJECT
public:
    KeySheet(const QList<QAction*>& actions, QWidget* parent);
};

}  // namespace strobe
