// The first lines of a comparison: a figure a row, build A, build B, and what the change means.
#pragma once

#include <QWidget>
#include <vector>

#include "views/models/compare_table.h"

class QGridLayout;

namespace strobe {

class FigureGrid : public QWidget {
    Q_OBJECT
public:
    explicit FigureGrid(QWidget* parent = nullptr);
    void setFigures(const QString& nameA, const QString& nameB, std::vector<CompareFigure> figures);

private:
    void rebuild();

    QString m_nameA, m_nameB;
    std::vector<CompareFigure> m_figures;
    QWidget* m_content = nullptr;
};

}  // namespace strobe
