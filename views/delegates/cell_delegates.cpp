#include "views/delegates/cell_delegates.h"

#include <QApplication>
#include <QPainter>
#include <algorithm>

#include "views/widgets/table_roles.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kInset = 4;

// Selection, hover and focus as the style draws them, without the text.
void paintBackground(QPainter* painter, QStyleOptionViewItem option) {
    option.text.clear();
    option.icon = QIcon();
    const QStyle* style = option.widget != nullptr ? option.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &option, painter, option.widget);
}

void paintText(QPainter* painter, const QStyleOptionViewItem& option, const QRect& area, const QColor& colour) {
    painter->setFont(option.font);
    painter->setPen(colour);
    const QString text = option.fontMetrics.elidedText(option.text, option.textElideMode, area.width());
    painter->drawText(area, static_cast<int>(option.displayAlignment | Qt::AlignVCenter), text);
}

}  // namespace

void ShareDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem o = option;
    initStyleOption(&o, index);
    paintBackground(painter, o);
    const Theme& theme = Theme::instance();
    painter->save();
    const QRect area = o.rect.adjusted(kInset, 0, -kInset, 0);
    const int textWidth = o.fontMetrics.horizontalAdvance(QStringLiteral("99.9 %")) + kInset;
    const QRect track = area.adjusted(0, 5, -textWidth - kInset, -5);
    const QColor colour = index.data(kColourRole).value<QColor>();
    const double share = std::clamp(index.data(kShareRole).toDouble(), 0.0, 1.0);
    if (track.width() > 8 && share > 0) {
        const double width = std::max(1.0, share * track.width());
        painter->fillRect(QRectF(track.left(), track.top(), width, track.height()),
                          colour.isValid() ? colour : theme.colours().accent);
    }
    paintText(painter, o, area, theme.colours().text);
    painter->restore();
}

QSize ShareDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    return QStyledItemDelegate::sizeHint(option, index).expandedTo(QSize(150, 0));
}

void DeltaDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem o = option;
    initStyleOption(&o, index);
    paintBackground(painter, o);
    const Theme& theme = Theme::instance();
    const QVariant delta = index.data(kDeltaRole);
    painter->save();
    const QRect area = o.rect.adjusted(kInset, 0, -kInset, 0);
    if (delta.isValid() && delta.toDouble() != 0) {
        const double value = std::clamp(delta.toDouble(), -1.0, 1.0);
        // A bar from the middle: left is better, right is worse, so that it also reads without colour.
        const QRectF track = QRectF(o.rect).adjusted(2, 2, -2, -2);
        const double half = track.width() / 2;
        const QRectF bar(value < 0 ? track.center().x() + value * half : track.center().x(), track.top(),
                         std::abs(value) * half, track.height());
        painter->fillRect(bar, theme.tint(theme.difference(value < 0 ? -1 : 1), 0.38));
    }
    paintText(painter, o, area, delta.isValid() ? theme.colours().text : theme.colours().secondary);
    painter->restore();
}

void ChipDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem o = option;
    initStyleOption(&o, index);
    paintBackground(painter, o);
    const Theme& theme = Theme::instance();
    const QColor colour = index.data(kColourRole).value<QColor>();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRect area = o.rect.adjusted(kInset, 0, -kInset, 0);
    if (o.text.isEmpty() || !colour.isValid()) {
        paintText(painter, o, area, theme.colours().text);
    } else if (m_look == Look::Dot) {
        const int side = 8;
        painter->fillRect(QRect(area.left(), area.center().y() - side / 2 + 1, side, side), colour);
        paintText(painter, o, area.adjusted(side + 6, 0, 0, 0), theme.colours().text);
    } else {
        const int width = std::min(area.width(), o.fontMetrics.horizontalAdvance(o.text) + 12);
        const QRectF chip(area.left(), area.top() + 2.5, width, area.height() - 5);
        painter->setPen(Qt::NoPen);
        painter->setBrush(colour);
        painter->drawRoundedRect(chip, 3, 3);
        if (index.data(kHatchedRole).toBool()) {
            painter->setBrush(QBrush(theme.tint(colour, 0.6), Qt::BDiagPattern));
            painter->drawRoundedRect(chip, 3, 3);
        }
        o.displayAlignment = Qt::AlignCenter;
        paintText(painter, o, chip.toRect(), theme.textOn(colour));
    }
    painter->restore();
}

QSize ChipDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    return QStyledItemDelegate::sizeHint(option, index) + QSize(18, 0);
}

void TextDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem o = option;
    initStyleOption(&o, index);
    paintBackground(painter, o);
    const bool isRight = o.displayAlignment.testFlag(Qt::AlignRight);
    painter->save();
    // The model's ForegroundRole arrives in the palette.
    paintText(painter, o, o.rect.adjusted(isRight ? kInset : 2 * kInset, 0, -kInset, 0), o.palette.color(QPalette::Text));
    painter->restore();
}

void NameDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    option->font = Theme::monoFont(-1);
    option->fontMetrics = QFontMetrics(option->font);
    option->textElideMode = Qt::ElideMiddle;
}

}  // namespace strobe
