#include "views/widgets/graph_canvas.h"

#include <QEventLoop>
#include <QPainter>
#include <QTimer>
#include <algorithm>

#include "views/widgets/canvas/canvas_state.h"

namespace strobe {

GraphCanvas::GraphCanvas(QWidget* parent) : QWidget(parent), m_state(std::make_unique<State>(*this)) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setMinimumSize(160, 120);
    connect(&m_state->worker, &canvas::GraphLayoutWorker::placed, this,
            [this](const auto& layout, bool isFinal) { m_state->takeLayout(layout, isFinal); });
    connect(&Theme::instance(), &Theme::themeChanged, this, [this] {
        m_state->minimap = {};
        update();
    });
}

GraphCanvas::~GraphCanvas() = default;

void GraphCanvas::setScene(GraphScenePtr scene) {
    State& s = *m_state;
    const bool keepsLayout = scene != nullptr && s.picture.scene != nullptr && !s.worker.isRunning() &&
                             canvas::sameStructure(*scene, *s.picture.scene);
    if (!keepsLayout) {
        if (s.picture.scene == s.scene) s.oldColouring = std::move(s.colouring);
        s.colouring = {};
    }
    s.scene = std::move(scene);
    s.indexOf.clear();
    if (s.scene != nullptr)
        for (int i = 0; i < static_cast<int>(s.scene->nodes.size()); ++i) s.indexOf.emplace(s.scene->nodes[i].id, i);
    if (keepsLayout) {
        s.picture.scene = s.scene;
        s.minimap = {};
        update();
        return;
    }
    const auto known = [&](int64_t id) { return s.indexOf.count(id) != 0; };
    const auto dropUnknown = [&](std::unordered_set<int64_t>& ids) {
        for (auto it = ids.begin(); it != ids.end();) it = known(*it) ? std::next(it) : ids.erase(it);
    };
    dropUnknown(s.selected);
    dropUnknown(s.highlighted);
    s.hasCurrent = s.hasCurrent && known(s.currentId);
    s.hits.clear();
    s.hit = -1;
    s.relayout(State::Arrival::Fit);
}

GraphScenePtr GraphCanvas::scene() const {
    return m_state->scene;
}

void GraphCanvas::setColouring(GraphColouring colouring) {
    m_state->colouring = std::move(colouring);
    m_state->minimap = {};
    update();
}

void GraphCanvas::setEmptyText(const QString& text) {
    m_state->emptyText = text;
    update();
}

void GraphCanvas::setSelection(const Ids& ids, bool revealIt) {
    State& s = *m_state;
    s.selected.clear();
    for (const int64_t id : ids)
        if (s.indexOf.count(id) != 0) s.selected.insert(id);
    const auto first = std::find_if(ids.begin(), ids.end(), [&](int64_t id) { return s.selected.count(id) != 0; });
    s.hasCurrent = first != ids.end();
    if (s.hasCurrent) s.currentId = *first;
    s.updateMarks();
    if (revealIt && s.hasCurrent) reveal(s.currentId);
}

GraphCanvas::Ids GraphCanvas::selection() const {
    Ids ids(m_state->selected.begin(), m_state->selected.end());
    std::sort(ids.begin(), ids.end());
    return ids;
}

void GraphCanvas::setHighlight(const Ids& ids, bool dimRest) {
    m_state->highlighted = {ids.begin(), ids.end()};
    m_state->dimRest = dimRest && !ids.empty();
    m_state->updateMarks();
}

void GraphCanvas::setSearchHits(const Ids& ids) {
    State& s = *m_state;
    s.hits.clear();
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(s.hits),
                 [&](int64_t id) { return s.indexOf.count(id) != 0; });
    s.hit = -1;
    s.updateMarks();
    emit searchHitChanged(-1, static_cast<int>(s.hits.size()));
}

void GraphCanvas::nextSearchHit() {
    m_state->stepSearch(1);
}
void GraphCanvas::previousSearchHit() {
    m_state->stepSearch(-1);
}
int GraphCanvas::currentSearchHit() const {
    return m_state->hit;
}

void GraphCanvas::setGroupCollapsed(const QString& path, bool collapsed) {
    m_state->fold(path, collapsed);
}
bool GraphCanvas::isGroupCollapsed(const QString& path) const {
    return m_state->collapsed.contains(path);
}

QStringList GraphCanvas::groupPaths() const {
    QSet<QString> paths;
    if (m_state->scene == nullptr) return {};
    for (const GraphNode& node : m_state->scene->nodes) {
        if (node.group.isEmpty()) continue;
        for (qsizetype at = node.group.indexOf('/'); at >= 0; at = node.group.indexOf('/', at + 1))
            paths.insert(node.group.left(at));
        paths.insert(node.group);
    }
    QStringList sorted(paths.begin(), paths.end());
    sorted.sort();
    return sorted;
}

void GraphCanvas::collapseToDepth(int depth) {
    QSet<QString> collapsed;
    if (depth > 0)
        for (const QString& path : groupPaths())
            if (path.count('/') + 1 == depth) collapsed.insert(path);
    if (collapsed == m_state->collapsed) return;
    m_state->collapsed = collapsed;
    m_state->relayout(State::Arrival::Fit);
    emit groupsChanged();
}

void GraphCanvas::expandAll() {
    collapseToDepth(0);
}

bool GraphCanvas::isLayoutRunning() const {
    return m_state->worker.isRunning();
}

bool GraphCanvas::waitForLayout(int timeoutMs) {
    if (!isLayoutRunning()) return true;
    QEventLoop loop;
    connect(this, &GraphCanvas::layoutFinished, &loop, &QEventLoop::quit);
    QTimer::singleShot(timeoutMs, &loop, &QEventLoop::quit);
    loop.exec();
    return !isLayoutRunning();
}

QRectF GraphCanvas::nodeRect(int64_t id) const {
    const int visible = m_state->visibleOf(id);
    if (visible < 0 || m_state->picture.graph.nodes[visible].sceneNode < 0) return {};
    return m_state->view.map(m_state->picture.rects[visible]);
}

QSize GraphCanvas::sizeHint() const {
    return {960, 640};
}

GraphCanvas::State::State(GraphCanvas& owner) : widget(owner) {
    animation.setDuration(170);
    animation.setStartValue(0.0);
    animation.setEndValue(1.0);
    animation.setEasingCurve(QEasingCurve::InOutCubic);
    QObject::connect(&animation, &QVariantAnimation::valueChanged, &owner, [this](const QVariant& value) {
        const double t = value.toDouble();
        // Geometric in zoom, so that it looks even; the centre goes with it.
        const double zoom = zoomFrom * std::pow(zoomTo / zoomFrom, t);
        const QPointF centre = animationFrom + (animationTo - animationFrom) * t;
        setView(centre - QPointF(widget.width(), widget.height()) / (2 * zoom), zoom);
    });
}

void GraphCanvas::State::relayout(Arrival how) {
    hoverNode = hoverEdge = -1;
    if (scene == nullptr || scene->nodes.empty()) {
        worker.cancel();
        picture = {};
        oldColouring = {};
        marks.clear();
        minimap = {};
        widget.update();
        return;
    }
    arrival = how;
    pendingScene = scene;
    pending = canvas::foldScene(*scene, collapsed);
    worker.start(canvas::layoutInput(pending, *scene));
}

void GraphCanvas::State::takeLayout(const std::shared_ptr<const LayoutResult>& layout, bool isFinal) {
    picture = canvas::makePicture(pendingScene, pending, *layout);
    oldColouring = {};
    hoverNode = hoverEdge = -1;
    minimap = {};
    updateMarks();
    const int anchor = arrival == Arrival::Anchor && hasAnchor ? visibleOf(anchorId) : -1;
    if (anchor >= 0) {
        animation.stop();
        setView(picture.rects[anchor].center() - anchorAt / view.zoom, view.zoom);
    } else {
        showWhole();
    }
    if (isFinal) emit widget.layoutFinished();
}

int GraphCanvas::State::visibleOf(int64_t id) const {
    const auto found = indexOf.find(id);
    if (found == indexOf.end() || static_cast<size_t>(found->second) >= picture.graph.nodeOf.size()) return -1;
    // While a new scene is being laid out, the picture still shows the old one.
    const auto index = static_cast<size_t>(found->second);
    return picture.scene->nodes[index].id == id ? picture.graph.nodeOf[index] : -1;
}

std::vector<int64_t> GraphCanvas::State::idsOf(int visible) const {
    std::vector<int64_t> ids;
    for (const int member : picture.graph.nodes[visible].members) ids.push_back(picture.scene->nodes[member].id);
    return ids;
}

bool GraphCanvas::State::isSelected(int visible) const {
    return (marks[visible] & canvas::kSelected) != 0;
}

void GraphCanvas::State::updateMarks() {
    marks.assign(picture.graph.nodes.size(), dimRest ? canvas::kDimmed : 0);
    const auto mark = [&](int64_t id, int bit) {
        const int visible = visibleOf(id);
        if (visible >= 0) marks[visible] = static_cast<uint8_t>((marks[visible] | bit) & ~canvas::kDimmed);
    };
    for (const int64_t id : selected) mark(id, canvas::kSelected);
    for (const int64_t id : highlighted) mark(id, canvas::kHighlighted);
    for (const int64_t id : hits) mark(id, canvas::kHit);
    if (hit >= 0) mark(hits[hit], canvas::kCurrentHit);
    if (hoverNode >= 0 && hoverNode < static_cast<int>(marks.size())) marks[hoverNode] |= canvas::kHovered;
    widget.update();
}

void GraphCanvas::State::fold(const QString& path, bool fold) {
    if (path.isEmpty() || collapsed.contains(path) == fold || scene == nullptr) return;
    const auto member = std::find_if(scene->nodes.begin(), scene->nodes.end(), [&](const GraphNode& node) {
        return node.group == path || node.group.startsWith(path + '/');
    });
    if (member == scene->nodes.end()) return;
    if (fold)
        collapsed.insert(path);
    else
        collapsed.remove(path);
    // What the user looked at stays where it was.
    const int visible = visibleOf(member->id);
    anchorId = hasCurrent && fold ? currentId : member->id;
    const int anchor = visibleOf(anchorId) >= 0 ? visibleOf(anchorId) : visible;
    hasAnchor = anchor >= 0;
    if (hasAnchor) anchorAt = view.map(picture.rects[anchor].center());
    relayout(Arrival::Anchor);
    emit widget.groupsChanged();
}

}  // namespace strobe
