// The graph as a user meets it: pan, zoom, select, search, fold, export. Knows no engine; fed with a GraphScene.
//
// All calls on the GUI thread. Layout runs on a worker; the old picture stays until the new one is ready, and a graph
// that takes longer than a moment gets a coarse placement first. A scene whose nodes, names and edges equal the shown
// one's (only chips, badges, precisions changed) is taken over without a new layout and without moving the view.
//
// Keys: arrows travel along edges from the current node (without one they pan), Ctrl+arrows pan, Shift+Up/Down zoom,
// Shift+Backspace 1:1, F frames the selection, Home fits all, Esc clears the selection, Return activates.
// Alt+arrows are left to the window.
#pragma once

#include <QImage>
#include <QPoint>
#include <QString>
#include <QStringList>
#include <QWidget>
#include <cstdint>
#include <memory>
#include <vector>

#include "views/widgets/graph_scene.h"

namespace strobe {

class GraphCanvas : public QWidget {
    Q_OBJECT
public:
    using Ids = std::vector<int64_t>;

    explicit GraphCanvas(QWidget* parent = nullptr);
    ~GraphCanvas() override;

    void setScene(GraphScenePtr scene);  // null clears
    GraphScenePtr scene() const;
    // Of the scene given last; it is shown when that scene is.
    void setColouring(GraphColouring colouring);
    // Shown while there is no scene, or one without nodes.
    void setEmptyText(const QString& text);

    // Selection. setSelection does not emit; unknown ids are dropped.
    void setSelection(const Ids& ids, bool reveal);
    Ids selection() const;
    // Frames drawn around nodes besides the selection (the ONNX nodes of a fused layer); empty removes them.
    void setHighlight(const Ids& ids, bool dimRest);
    // Hits are ringed and stepped through with next/previous, which select and reveal; empty ends the search.
    void setSearchHits(const Ids& ids);
    void nextSearchHit();
    void previousSearchHit();
    int currentSearchHit() const;  // −1 before the first step

    // Groups by their "/"-separated path.
    void setGroupCollapsed(const QString& path, bool collapsed);
    bool isGroupCollapsed(const QString& path) const;
    void collapseToDepth(int depth);  // folds every group whose path has `depth` parts; 0 folds nothing
    void expandAll();
    QStringList groupPaths() const;

    double zoomFactor() const;
    void setZoomFactor(double factor);
    void zoomToFit();
    void zoomToSelection();
    void zoomOneToOne();
    void reveal(int64_t id);
    void setAnimated(bool animated);  // default on
    void setMinimapVisible(bool visible);

    bool isLayoutRunning() const;
    // Blocks until the final layout stands (tests, export without a window); false after `timeoutMs`.
    bool waitForLayout(int timeoutMs = 10000);
    // Where a node stands now, in widget coordinates; empty when unknown or folded away.
    QRectF nodeRect(int64_t id) const;

    // The whole graph as coloured dashes that fill `size`, inputs at the left; on nothing, for any theme. Null while there is no graph.
    QImage thumbnail(const QSize& size) const;
    // The whole graph (or what is visible). PNG at `scale`, capped at 16,384 pixels a side.
    QImage toImage(bool wholeGraph, double scale = 1.0) const;
    bool exportPng(const QString& path, bool wholeGraph, QString* error) const;
    bool exportSvg(const QString& path, QString* error) const;

    QSize sizeHint() const override;

signals:
    void selectionChanged(const std::vector<int64_t>& ids);
    void nodeActivated(int64_t id);  // double-click or Return
    // id is −1 on the background; `nodes` is the selection the menu is about.
    void menuRequested(const QPoint& globalPosition, int64_t id);
    void layoutFinished();
    void searchHitChanged(int index, int count);
    void groupsChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace strobe
