// The first lines of a comparison: a figure a row, build A, build B, and what the change means.
#pragma once

#include <QScrollArea>
#include <vector>

#include "views/models/compare_table.h"

class QGridLayout;

namespace strobe {

class FigureGrid : public QScrollArea {
    Q_OBJECT
public:
    explicit FigureGrid(QWidget* parent = nullptr);
    void setFigures(const QString& nameA, const QString& nameB, std::vector<CompareFigure> figures);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

private:
    void rebuild();

    QString m_nameA, m_nameB;
    std::vector<CompareFigure> m_figures;
};

}  // namespace strobe
