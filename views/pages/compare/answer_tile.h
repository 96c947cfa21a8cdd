// One answer of a comparison, to be read from across the room: good, bad or neither by colour, sign and words; what it rests on stands below.
#pragma once

#include <QWidget>

#include "views/models/compare_table.h"

namespace strobe {

class ElidedLabel;

class AnswerTile : public QWidget {
    Q_OBJECT
public:
    explicit AnswerTile(QWidget* parent = nullptr);
    void setAnswer(const CompareAnswer& answer);
    QString headline() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void recolour();
    QColor colour() const;

    CompareAnswer m_answer;
    ElidedLabel *m_headline, *m_detail;
};

}  // namespace strobe
