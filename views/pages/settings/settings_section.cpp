#include "views/pages/settings/settings_section.h"

#include <QEvent>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/models/workbench_context.h"
#include "views/widgets/breakable_text.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

class WheelGuard : public QObject {
public:
    using QObject::QObject;
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
        event->ignore();
        return true;
    }
};

void paintAsError(QLabel& label) {
    QPalette palette = label.palette();
    palette.setColor(QPalette::WindowText, Theme::instance().colours().bad);
    label.setPalette(palette);
}

}  // namespace

void guardWheel(QWidget& widget) {
    widget.setFocusPolicy(Qt::StrongFocus);
    widget.installEventFilter(new WheelGuard(&widget));
}

SettingsSection::SettingsSection(const QString& heading, WorkbenchContext& context, QWidget* parent)
    : QWidget(parent), m_context(context), m_body(new QVBoxLayout(this)) {
    m_body->setContentsMargins(2 * kGrid, kGrid + 4, 2 * kGrid, kGrid + 4);
    m_body->setSpacing(6);
    auto* title = new QLabel(heading, this);
    title->setFont(Theme::systemFont(0, true));
    m_body->addWidget(title);
}

QFormLayout& SettingsSection::addForm() {
    auto* form = new QFormLayout;
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(2 * kGrid);
    form->setVerticalSpacing(6);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    m_body->addLayout(form);
    return *form;
}

void SettingsSection::addWideRow(QFormLayout& form, const QString& label, QLayout& field) {
    auto* text = new QLabel(label);
    text->setBuddy(field.itemAt(0)->widget());
    form.addRow(text);
    form.addRow(&field);
}

QLabel& SettingsSection::addNote(const QString& text) {
    auto* note = new QLabel(text, this);
    note->setWordWrap(true);
    note->setForegroundRole(QPalette::PlaceholderText);
    m_body->addWidget(note);
    return *note;
}

QLabel& SettingsSection::addError(const QString& objectName) {
    QLabel& label = makeError(objectName);
    m_body->addWidget(&label);
    return label;
}

QLabel& SettingsSection::makeError(const QString& objectName) {
    auto* label = new QLabel(this);
    label->setObjectName(objectName);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->hide();
    paintAsError(*label);
    connect(&Theme::instance(), &Theme::themeChanged, label, [label] { paintAsError(*label); });
    return *label;
}

void SettingsSection::setError(QLabel& label, const QString& text) {
    label.setText(breakable(text));  // a long name must not widen the page
    label.setVisible(!text.isEmpty());
}

void SettingsSection::onTyped(QLineEdit& edit, const std::function<void()>& take) {
    connect(&edit, &QLineEdit::editingFinished, this, [&edit, take] {
        if (edit.isModified()) take();
    });
}

bool SettingsSection::isTyping(const QLineEdit& edit) {
    return edit.hasFocus() && edit.isModified();
}

void SettingsSection::showText(QLineEdit& edit, const QString& text) {
    if (!isTyping(edit) && edit.text() != text) edit.setText(text);
}

void SettingsSection::commit(const QString& label, const std::function<void(Settings&)>& change,
                             const std::vector<QLineEdit*>& taken) {
    for (QLineEdit* edit : taken) edit->setModified(false);
    Settings settings = m_context.session().settings();
    change(settings);
    m_context.session().setSettings(std::move(settings), label.toStdString());
}

QToolButton* SettingsSection::makeRemoveButton(const QString& what) {
    auto* button = new QToolButton(this);
    button->setText(QStringLiteral("✕"));
    button->setToolTip(what);
    button->setAccessibleName(what);
    return button;
}

}  // namespace strobe
