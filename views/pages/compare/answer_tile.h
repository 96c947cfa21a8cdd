// One answer of a comparison, to be read from across the room: good, bad or neither by colour, sign and words; what it rests on stands below.
#pragma once

#include <QWidget>

#include "views/models/compare_table.h"

class QPushButton;

namespace strobe {

class ElidedLabel;

class AnswerTile : public QWidget {
    Q_OBJECT
public:
    explicit AnswerTile(QWidget* parent = nullptr);
    void setAnswer(const CompareAnswer& answer);
    // What can be done about a doubtful answer: a button that is there while the answer is one. Empty: there is none.
    void setRemedy(const QString& text);
    QString headline() const;

signals:
    void remedyRequested();

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void recolour();
    QColor colour() const;

    CompareAnswer m_answer;
    ElidedLabel *m_headline, *m_detail;
    QPushButton* m_remedy;
};

}  // namespace strobe
