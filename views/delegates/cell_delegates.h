// How table cells draw what is more than text. All read the roles of table_roles.h; all keep the text selectable and
// copyable, since only the drawing differs.
#pragma once

#include <QStyledItemDelegate>

namespace strobe {

// A number at the right and behind it a bar as long as kShareRole (0..1), in kColourRole or the accent.
class ShareDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// A signed number on blue (better, negative) to orange (worse, positive) by kDeltaRole; without it the text is faint.
class DeltaDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// Text in a rounded chip of kColourRole, hatched when kHatchedRole says that it is a preview.
class ChipDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    // Dot: a small square before plain text (op families); Filled: the chip itself (precisions).
    enum class Look { Filled, Dot };
    explicit ChipDelegate(Look look, QObject* parent = nullptr) : QStyledItemDelegate(parent), m_look(look) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    Look m_look;
};

// Plain text with air at both sides, so that a right-aligned number and the text after it stay apart.
class TextDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// A name in the monospace face, elided in the middle.
class NameDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;
};

}  // namespace strobe
