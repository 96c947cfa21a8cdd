// Mouse, wheel and keyboard of the canvas.
#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/widgets/canvas/canvas_state.h"

namespace strobe {
namespace {

constexpr double kDragDistance = 4;
constexpr double kKeyPan = 80;

}  // namespace

void GraphCanvas::mousePressEvent(QMouseEvent* event) {
    State& s = *m_state;
    s.animation.stop();
    s.pressAt = s.dragAt = event->position();
    s.pressOrigin = s.view.origin;
    s.moved = false;
    const bool isLeft = event->button() == Qt::LeftButton;
    const bool extends = (event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier)) != 0;
    if (isLeft && s.minimapRect().contains(event->position())) {
        s.drag = State::Drag::Minimap;
        s.moveByMinimap(event->position());
    } else if (isLeft && extends && s.nodeAt(event->position()) < 0) {
        s.drag = State::Drag::RubberBand;
    } else if (isLeft || event->button() == Qt::MiddleButton) {
        s.drag = State::Drag::Pan;
    }
}

void GraphCanvas::mouseMoveEvent(QMouseEvent* event) {
    State& s = *m_state;
    const QPointF at = event->position();
    s.dragAt = at;
    if (s.drag == State::Drag::None) {
        s.setHover(at);
        return;
    }
    s.moved = s.moved || (at - s.pressAt).manhattanLength() > kDragDistance;
    if (s.drag == State::Drag::Minimap)
        s.moveByMinimap(at);
    else if (s.drag == State::Drag::RubberBand)
        update();
    else if (s.moved) {
        setCursor(Qt::ClosedHandCursor);
        s.setView(s.pressOrigin - (at - s.pressAt) / s.view.zoom, s.view.zoom);
    }
}

void GraphCanvas::mouseReleaseEvent(QMouseEvent* event) {
    State& s = *m_state;
    const State::Drag drag = std::exchange(s.drag, State::Drag::None);
    unsetCursor();
    if (drag == State::Drag::RubberBand && s.moved) s.finishRubberBand(event->modifiers());
    update();
    if (drag == State::Drag::Minimap || s.moved || event->button() != Qt::LeftButton) return;
    const int node = s.nodeAt(event->position());
    if (node < 0) {
        if (event->modifiers() == Qt::NoModifier && !s.selected.empty()) s.select({}, Qt::NoModifier);
        return;
    }
    const auto ids = s.idsOf(node);
    s.currentId = ids.front();
    s.hasCurrent = true;
    s.select(ids, event->modifiers());
}

void GraphCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
    State& s = *m_state;
    if (event->button() != Qt::LeftButton || s.minimapRect().contains(event->position())) return;
    const int node = s.nodeAt(event->position());
    if (node >= 0) {
        const auto& visible = s.picture.graph.nodes[node];
        if (visible.sceneNode < 0)
            s.fold(QString(visible.group), false);
        else
            emit nodeActivated(s.picture.scene->nodes[visible.sceneNode].id);
        return;
    }
    QRectF area, label;
    const QString group = s.frameGroup(&area, &label);
    // Anywhere in the frame's margin folds it; the label is only the obvious place.
    if (!group.isEmpty() && (label.contains(event->position()) || area.contains(event->position())))
        s.fold(group, true);
}

void GraphCanvas::wheelEvent(QWheelEvent* event) {
    State& s = *m_state;
    const QPoint angle = event->angleDelta();
    const double turn = angle.y() != 0 ? angle.y() : angle.x();
    if ((event->modifiers() & (Qt::ShiftModifier | Qt::ControlModifier)) != 0) {
        s.animation.stop();
        const bool sideways = event->modifiers().testFlag(Qt::ShiftModifier);
        const QPointF step = sideways ? QPointF(turn, 0) : QPointF(0, turn);
        s.setView(s.view.origin - step / s.view.zoom, s.view.zoom);
    } else {
        s.zoomAt(event->position(), std::pow(1.0015, turn));
    }
    event->accept();
}

void GraphCanvas::keyPressEvent(QKeyEvent* event) {
    State& s = *m_state;
    if (event->modifiers().testFlag(Qt::AltModifier)) {
        event->ignore();
        return;
    }
    const bool shift = event->modifiers().testFlag(Qt::ShiftModifier);
    const bool control = event->modifiers().testFlag(Qt::ControlModifier);
    const QPointF middle(width() / 2.0, height() / 2.0);
    const int key = event->key();
    if (shift && (key == Qt::Key_Up || key == Qt::Key_Down)) {
        s.zoomAt(middle, key == Qt::Key_Up ? 1.25 : 0.8);
    } else if (shift && key == Qt::Key_Backspace) {
        zoomOneToOne();
    } else if (key == Qt::Key_Left || key == Qt::Key_Right || key == Qt::Key_Up || key == Qt::Key_Down) {
        if (!control && s.travel(key)) return;
        const QPointF step(key == Qt::Key_Left    ? -kKeyPan
                           : key == Qt::Key_Right ? kKeyPan
                                                  : 0,
                           key == Qt::Key_Up     ? -kKeyPan
                           : key == Qt::Key_Down ? kKeyPan
                                                 : 0);
        s.animation.stop();
        s.setView(s.view.origin + step / s.view.zoom, s.view.zoom);
    } else if (control) {
        event->ignore();
    } else if (key == Qt::Key_F) {
        zoomToSelection();
    } else if (key == Qt::Key_Home) {
        zoomToFit();
    } else if (key == Qt::Key_Escape && !s.selected.empty()) {
        s.select({}, Qt::NoModifier);
    } else if ((key == Qt::Key_Return || key == Qt::Key_Enter) && s.current() >= 0) {
        const auto& visible = s.picture.graph.nodes[s.current()];
        if (visible.sceneNode < 0)
            s.fold(QString(visible.group), false);
        else
            emit nodeActivated(s.currentId);
    } else if (key == Qt::Key_Minus && s.current() >= 0) {
        const auto index = s.indexOf.find(s.currentId);
        if (index != s.indexOf.end()) s.fold(s.scene->nodes[index->second].group, true);
    } else if (key == Qt::Key_Plus && s.current() >= 0) {
        s.fold(QString(s.picture.graph.nodes[s.current()].group), false);
    } else {
        event->ignore();
    }
}

void GraphCanvas::focusInEvent(QFocusEvent* event) {
    m_state->focusRing = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
    QWidget::focusInEvent(event);
}

void GraphCanvas::focusOutEvent(QFocusEvent* event) {
    m_state->focusRing = false;
    QWidget::focusOutEvent(event);
}

void GraphCanvas::leaveEvent(QEvent*) {
    m_state->setHover(QPointF(-1e6, -1e6));
}

void GraphCanvas::contextMenuEvent(QContextMenuEvent* event) {
    State& s = *m_state;
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const int node = byKey ? s.current() : s.nodeAt(QPointF(event->pos()));
    if (node >= 0 && !s.isSelected(node)) {
        s.currentId = s.idsOf(node).front();
        s.hasCurrent = true;
        s.select(s.idsOf(node), Qt::NoModifier);
    }
    emit menuRequested(event->globalPos(), node < 0 ? -1 : s.idsOf(node).front());
}

bool GraphCanvas::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const State& s = *m_state;
    const auto* help = static_cast<QHelpEvent*>(event);
    const int node = s.nodeAt(QPointF(help->pos()));
    QString text;
    if (node >= 0) {
        const auto& visible = s.picture.graph.nodes[node];
        text = visible.sceneNode >= 0 ? s.picture.scene->nodes[visible.sceneNode].tooltip
                                      : tr("%1, double-click to unfold").arg(visible.group);
        if (text.isEmpty())
            text = s.picture.scene->nodes[visible.sceneNode].title + '\n' +
                   s.picture.scene->nodes[visible.sceneNode].subtitle;
    }
    if (text.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), text, this);
    return true;
}

int GraphCanvas::State::nodeAt(const QPointF& device) const {
    return picture.nodeAt(view.unmap(device), view.zoom);
}

void GraphCanvas::State::setHover(const QPointF& device) {
    hoverAt = device;
    const bool onMinimap = minimapRect().contains(device);
    const QPointF at = view.unmap(device);
    const int node = onMinimap ? -1 : nodeAt(device);
    const int edge = onMinimap || node >= 0 || view.zoom < 0.2 ? -1 : picture.edgeAt(at, 5 / view.zoom);
    if (edge != hoverEdge || edge >= 0) widget.update();
    hoverEdge = edge;
    if (node == hoverNode) return;
    hoverNode = node;
    updateMarks();
}

void GraphCanvas::State::select(const std::vector<int64_t>& ids, Qt::KeyboardModifiers modifiers) {
    const bool toggles = modifiers.testFlag(Qt::ControlModifier), extends = modifiers.testFlag(Qt::ShiftModifier);
    const bool allIn = std::all_of(ids.begin(), ids.end(), [&](int64_t id) { return selected.count(id) != 0; });
    if (!toggles && !extends) selected.clear();
    for (const int64_t id : ids) {
        if (toggles && allIn)
            selected.erase(id);
        else
            selected.insert(id);
    }
    if (selected.empty()) hasCurrent = false;
    updateMarks();
    emit widget.selectionChanged(widget.selection());
}

void GraphCanvas::State::finishRubberBand(Qt::KeyboardModifiers modifiers) {
    const QRectF area = view.unmap(QRectF(pressAt, dragAt).normalized());
    std::vector<int> nodes;
    picture.nodeIndex.query(area, nodes);
    std::vector<int64_t> ids;
    for (const int node : nodes) {
        if (!picture.rects[node].intersects(area)) continue;
        const auto members = idsOf(node);
        ids.insert(ids.end(), members.begin(), members.end());
    }
    if (ids.empty()) return;
    currentId = ids.front();
    hasCurrent = true;
    // Both modifiers extend here: toggling a whole area would surprise.
    select(ids, modifiers | Qt::ShiftModifier);
}

int GraphCanvas::State::current() const {
    return hasCurrent ? visibleOf(currentId) : -1;
}

void GraphCanvas::State::stepSearch(int step) {
    if (hits.empty()) return;
    const int count = static_cast<int>(hits.size());
    hit = hit < 0 ? (step > 0 ? 0 : count - 1) : (hit + step + count) % count;
    currentId = hits[hit];
    hasCurrent = true;
    select({currentId}, Qt::NoModifier);
    widget.reveal(currentId);
    emit widget.searchHitChanged(hit, count);
}

// Up and down along edges to the neighbour that is closest sideways; left and right to the next node at about this
// height.
bool GraphCanvas::State::travel(int key) {
    const int from = current();
    if (from < 0) return false;
    const QPointF at = picture.rects[from].center();
    int best = -1;
    double bestCost = INFINITY;
    const auto consider = [&](int node, double cost) {
        if (node == from || cost >= bestCost) return;
        best = node;
        bestCost = cost;
    };
    if (key == Qt::Key_Up || key == Qt::Key_Down) {
        for (const int edge : key == Qt::Key_Down ? picture.outgoing[from] : picture.incoming[from]) {
            const int node = key == Qt::Key_Down ? picture.graph.edges[edge].to : picture.graph.edges[edge].from;
            consider(node, std::abs(picture.rects[node].center().x() - at.x()) +
                               std::abs(picture.rects[node].center().y() - at.y()));
        }
    } else {
        const double side = key == Qt::Key_Right ? 1 : -1;
        std::vector<int> row;
        const QRectF& b = picture.bounds;
        picture.nodeIndex.query(QRectF(b.left(), at.y() - 1, b.width(), 2), row);
        for (const int node : row) {
            const double across = (picture.rects[node].center().x() - at.x()) * side;
            const double off = std::abs(picture.rects[node].center().y() - at.y());
            if (across > 1 && off < picture.rects[from].height()) consider(node, across + off);
        }
    }
    if (best < 0) return true;  // stays: a pan here would look like a jump to nowhere
    currentId = idsOf(best).front();
    select(idsOf(best), Qt::NoModifier);
    revealVisible(best);
    return true;
}

}  // namespace strobe
