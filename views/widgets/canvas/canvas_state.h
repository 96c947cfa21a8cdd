// What a GraphCanvas holds. Internal to the canvas.
#pragma once

#include <QPixmap>
#include <QVariantAnimation>
#include <unordered_map>
#include <unordered_set>

#include "views/widgets/canvas/graph_layout_worker.h"
#include "views/widgets/canvas/graph_painter.h"
#include "views/widgets/graph_canvas.h"

namespace strobe {

struct GraphCanvas::State {
    explicit State(GraphCanvas& owner);

    enum class Drag { None, Pan, RubberBand, Minimap };
    // What the view does when the running layout arrives.
    enum class Arrival { Fit, Anchor };

    // Scene, folding, layout.
    void relayout(Arrival arrival);
    void takeLayout(const std::shared_ptr<const LayoutResult>& layout, bool isFinal);
    /// That of the scene in the picture, whose nodes it counts by index.
    const GraphColouring& shownColouring() const { return picture.scene == scene ? colouring : oldColouring; }
    void updateMarks();
    int nodeAt(const QPointF& device) const;        // visible node, or −1
    int visibleOf(int64_t id) const;                // visible node, or −1
    std::vector<int64_t> idsOf(int visible) const;  // a folded group has those of its members
    bool isSelected(int visible) const;
    void fold(const QString& path, bool collapsed);

    // View.
    void setView(const QPointF& origin, double zoom);
    void moveTo(const QPointF& centre, double zoom);  // animated
    void frame(const QRectF& area, double maxZoom);
    double zoomToShow(const QRectF& area) const;  // whole, with a margin
    double leastZoom() const;
    void showWhole();  // at once; the beginning of a graph that is too long to be seen whole
    void zoomAt(const QPointF& device, double factor);
    QRectF viewArea() const { return view.unmap(QRectF(widget.rect())); }
    QRectF minimapRect() const;
    void moveByMinimap(const QPointF& device);
    QColor miniColour(size_t visible) const;
    void paintMinimap(QPainter& painter);
    void paintGroupFrame(QPainter& painter);
    void paintGroupLabel(QPainter& painter);
    QString frameGroup(QRectF* area, QRectF* label) const;  // group of the current node, its frame and its handle
    void paintHoverLabel(QPainter& painter);

    // Selection.
    void select(const std::vector<int64_t>& ids, Qt::KeyboardModifiers modifiers);
    void revealVisible(int visible);
    void setHover(const QPointF& device);
    void finishRubberBand(Qt::KeyboardModifiers modifiers);
    void stepSearch(int step);
    bool travel(int key);
    int current() const;  // visible node that the keyboard stands on, or −1

    GraphCanvas& widget;
    GraphScenePtr scene;
    std::unordered_map<int64_t, int> indexOf;  // id → scene node
    GraphColouring colouring;                  // of `scene`
    QSet<QString> collapsed;
    canvas::GraphPicture picture;
    GraphColouring oldColouring;   // of picture.scene, while that is not yet `scene`
    canvas::VisibleGraph pending;  // folded, waiting for its layout
    GraphScenePtr pendingScene;
    canvas::GraphLayoutWorker worker;
    Arrival arrival = Arrival::Fit;
    int64_t anchorId = 0;
    QPointF anchorAt;
    bool hasAnchor = false;
    bool fitPending = false;  // the widget had no size yet

    canvas::ViewTransform view;
    QVariantAnimation animation;
    QPointF animationFrom, animationTo;
    double zoomFrom = 1, zoomTo = 1;
    bool animated = true;

    std::unordered_set<int64_t> selected, highlighted;
    int64_t currentId = 0;
    bool hasCurrent = false;
    bool dimRest = false;
    std::vector<int64_t> hits;
    int hit = -1;
    std::vector<uint8_t> marks;
    int hoverNode = -1, hoverEdge = -1;
    QPointF hoverAt;

    Drag drag = Drag::None;
    QPointF pressAt, pressOrigin, dragAt;
    bool moved = false;
    bool minimapVisible = true;
    bool focusRing = false;  // the keyboard came by Tab
    QPixmap minimap;
    QString emptyText;
};

}  // namespace strobe
