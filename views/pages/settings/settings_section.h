// One part of the settings form. Edits go through Session::setSettings with a label for undo; refresh() shows what the session holds.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

#include "sessions/session.h"

class QFormLayout;
class QLabel;
class QLineEdit;
class QToolButton;
class QVBoxLayout;

namespace strobe {

class WorkbenchContext;

/// Of all number fields, so that they stand in one column.
inline constexpr int kSpinWidth = 112;

class SettingsSection : public QWidget {
    Q_OBJECT
public:
    SettingsSection(const QString& heading, WorkbenchContext& context, QWidget* parent);
    // Shows these values without speaking. A field that the user is typing in keeps its text.
    virtual void refresh(const Settings& settings) = 0;

protected:
    WorkbenchContext& context() const { return m_context; }
    QVBoxLayout& body() const { return *m_body; }
    QFormLayout& addForm();
    /// A label with its field below: for what needs the whole width, as paths do. A field that its label has as buddy
    /// is found by name in the palette.
    static void addWideRow(QFormLayout& form, const QString& label, QLayout& field);
    QLabel& addNote(const QString& text = {});
    // Changes the session's settings; `label` is what the Edit menu offers to undo. `taken` are the fields whose text
    // this takes over: nobody types in them any more, so that undo shows.
    void commit(const QString& label, const std::function<void(Settings&)>& change,
                const std::vector<QLineEdit*>& taken = {});
    // Calls `take` when the user has finished a text (Return, or the keyboard left the field). What it refuses stays as
    // typed.
    void onTyped(QLineEdit& edit, const std::function<void()>& take);
    static bool isTyping(const QLineEdit& edit);
    // Unless the user is typing there.
    static void showText(QLineEdit& edit, const QString& text);
    // A label that says what is wrong in the theme's colour; hidden while empty.
    QLabel& addError(const QString& objectName);
    // The same, to be placed by the caller.
    QLabel& makeError(const QString& objectName);
    static void setError(QLabel& label, const QString& text);
    QToolButton* makeRemoveButton(const QString& what);

private:
    WorkbenchContext& m_context;
    QVBoxLayout* m_body;
};

// Spin and combo boxes change by the wheel only while they have the keyboard, so that scrolling the page leaves them alone.
void guardWheel(QWidget& widget);

}  // namespace strobe
