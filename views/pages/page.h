// A dock page: one widget that answers one question, which stands in its first line.
#pragma once

#include <QString>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace strobe {

class WorkbenchContext;

class Page : public QWidget {
    Q_OBJECT
public:
    /// `objectName` ("layersPage") is the page's id in saved layouts, in WorkbenchContext::showPage and as a selection's origin.
    Page(const QString& objectName, const QString& title, const QString& question, WorkbenchContext& context, QWidget* parent = nullptr);

    const QString& title() const { return m_title; }
    void setQuestion(const QString& question);
    /// What gets the keyboard when the page is brought to the front.
    virtual QWidget* focusTarget() { return this; }

protected:
    WorkbenchContext& context() const { return m_context; }
    /// Under the first line; no margins.
    QVBoxLayout& body() const { return *m_body; }
    /// Right of the question: filters, choices.
    QHBoxLayout& headerControls() const { return *m_header; }

private:
    WorkbenchContext& m_context;
    QString m_title;
    QLabel* m_question;
    QHBoxLayout* m_header;
    QVBoxLayout* m_body;
};

}  // namespace strobe
