// Small widgets that say how things stand: empty pages, running jobs, the strip at the bottom of the window.
#pragma once

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStringList>
#include <QWidget>
#include <vector>

class QAction;
class QHBoxLayout;

namespace strobe {

class ElidedLabel;

// What to do on a page that has nothing to show, with the action as a button when there is one.
class EmptyState : public QWidget {
    Q_OBJECT
public:
    explicit EmptyState(const QString& text, QWidget* parent = nullptr);
    void setText(const QString& text);
    // Null removes the button. The action keeps its owner.
    void setAction(QAction* action);

private:
    QLabel* m_text;
    QPushButton* m_button;
    QAction* m_action = nullptr;
};

// A running job: name, what it does now, bar, time left, Cancel.
class ProgressStrip : public QWidget {
    Q_OBJECT
public:
    explicit ProgressStrip(QWidget* parent = nullptr);
    // `fraction` below 0 is unknown; so is a negative time left.
    void setProgress(const QString& job, const QString& step, double fraction, double secondsLeft);
    void setCancelling();  // after Cancel, until the job says that it stopped

signals:
    void cancelRequested();

private:
    QLabel* m_job;
    ElidedLabel* m_step;
    QLabel* m_left;
    QProgressBar* m_bar;
    QPushButton* m_cancel;
};

// Segments divided by hairlines; each may be clicked.
class StatusStrip : public QWidget {
    Q_OBJECT
public:
    explicit StatusStrip(QWidget* parent = nullptr);
    // Replaces all segments; an empty text leaves its segment out. Tooltips may be fewer than texts.
    void setSegments(const QStringList& texts, const QStringList& tooltips = {});

signals:
    void segmentClicked(int index);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QHBoxLayout* m_layout;
    std::vector<QLabel*> m_labels;
};

}  // namespace strobe
