// A dock page: one widget that answers one question, which stands in its first line.
#pragma once

#include <QString>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace strobe {

class ElidedLabel;
class WorkbenchContext;

class Page : public QWidget {
    Q_OBJECT
public:
    /// `objectName` ("layersPage") is the page's id in saved layouts, in WorkbenchContext::showPage and as a selection's origin.
    Page(const QString& objectName, const QString& title, const QString& question, WorkbenchContext& context, QWidget* parent = nullptr);

    const QString& title() const { return m_title; }
    void setQuestion(const QString& question);
    /// What the question needs to be read whole.
    int questionWidth() const;
    /// What gets the keyboard when the page is brought to the front.
    virtual QWidget* focusTarget() { return this; }
    /// The first line, to be the title bar of the page's dock: it then belongs to the dock, which is dragged by it, and has a button that closes it.
    QWidget* takeHeader();
    /// Where no tab names the page, its first line does.
    void setTitleShown(bool shown);

signals:
    void closeRequested();

protected:
    WorkbenchContext& context() const { return m_context; }
    /// Under the first line; no margins.
    QVBoxLayout& body() const { return *m_body; }
    /// Right of the question: filters, choices.
    QHBoxLayout& headerControls() const { return *m_controls; }
    /// Left of the question.
    QHBoxLayout& leadingControls() const { return *m_lead; }
    QWidget& header() const { return *m_header; }

private:
    WorkbenchContext& m_context;
    QString m_title;
    QWidget* m_header;
    ElidedLabel* m_question;
    QLabel* m_titleLabel;
    QToolButton* m_close;
    QHBoxLayout *m_lead, *m_controls;
    QVBoxLayout* m_body;
};

}  // namespace strobe
