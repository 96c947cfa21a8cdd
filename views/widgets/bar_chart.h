// Vertical bars with a value axis: histograms of weights or differences, and small categories.
#pragma once

#include <QColor>
#include <QString>
#include <QWidget>
#include <vector>

namespace strobe {

struct BarChartData {
    std::vector<double> values;   // not negative; one bar each
    std::vector<QString> labels;  // under the bars; empty for a histogram
    double low = 0, high = 0;     // ends of a histogram's axis; equal for none
    QString unit;                 // of the axis
    QString valueName;            // "weights", for the tooltip: "1,204 weights"
    QColor colour;                // invalid: the accent
    bool logarithmic = false;     // counts that span decades
};

class BarChart : public QWidget {
    Q_OBJECT
public:
    explicit BarChart(QWidget* parent = nullptr);
    void setData(BarChartData bars);
    void setEmptyText(const QString& text);
    QSize sizeHint() const override { return {280, 120}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QRectF plotArea() const;
    int barAt(const QPointF& point) const;
    double heightOf(double value) const;  // 0..1
    QString describe(int bar) const;

    BarChartData m_data;
    QString m_emptyText;
    int m_hover = -1;
};

}  // namespace strobe
