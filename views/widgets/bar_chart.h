// Vertical bars with a value axis: histograms of weights or differences, and small categories. Its context menu saves
// it as a picture.
#pragma once

#include <QColor>
#include <QString>
#include <QWidget>
#include <vector>

namespace strobe {

struct BarChartData {
    QString title;                // of a saved picture: "Values of conv1.weight"
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
    /// PNG, or SVG where the path ends in .svg. False: `error` says why.
    bool savePicture(const QString& path, QString* error) const;
    QSize sizeHint() const override { return {280, 120}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    QRectF plotArea(const QRectF& area) const;
    void paintBars(QPainter& painter, const QRectF& area, int hovered) const;
    void paintAxis(QPainter& painter, const QRectF& area) const;
    void paintLabels(QPainter& painter, const QRectF& plot, const QRectF& axis) const;
    void paintEnds(QPainter& painter, const QRectF& plot, const QRectF& axis) const;
    void paintScale(QPainter& painter, const QRectF& plot) const;
    std::vector<double> scaleValues() const;  // of the value axis, lowest first; without values empty
    void paintPicture(QPainter& painter) const;
    void saveWithDialog(const QString& suffix);
    int barAt(const QPointF& point) const;
    double heightOf(double value) const;  // 0..1
    double barWidth(const QRectF& plot) const { return plot.width() / static_cast<double>(m_data.values.size()); }
    QString describe(int bar) const;

    BarChartData m_data;
    QString m_emptyText;
    int m_hover = -1;
};

}  // namespace strobe
