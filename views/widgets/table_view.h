// A QTableView set up as every table of the window: sortable, movable columns, dense rows, copies as text.
//
// Models give kSortRole (raw numbers), Qt::TextAlignmentRole for numbers, and kSummableRole as header data; see
// table_roles.h. Sorting needs a QSortFilterProxyModel with setSortRole(kSortRole) between model and view.
#pragma once

#include <QTableView>
#include <functional>
#include <span>

class QMenu;

namespace strobe {

class ElidedLabel;

enum class TableTextFormat { Tsv, Csv, Markdown };
// The given rows in the view's order, visible columns in their visual order, headers first.
QString tableText(const QTableView& view, const QModelIndexList& rows, TableTextFormat format);

class TableView : public QTableView {
    Q_OBJECT
public:
    explicit TableView(QWidget* parent = nullptr);

    // Selected rows, top to bottom; all rows when nothing is selected.
    QModelIndexList rowsForCopy() const;
    void copySelection(TableTextFormat format);
    // Adds this window's own entries to the context menu, above the copies. `index` is the row under the pointer.
    void setMenuBuilder(std::function<void(QMenu& menu, const QModelIndex& index)> builder);
    // Shown in place of rows while the model has none.
    void setEmptyText(const QString& text);
    // Widths by column, at first; none gets narrower than its header, whose unit may change with the model. Give the
    // model first.
    void setColumnWidths(std::span<const int> widths);
    // This column takes the width that the others leave, but keeps `least`.
    void setStretchColumn(int column, int least);
    void setModel(QAbstractItemModel* model) override;

signals:
    void rowActivated(const QModelIndex& index);
    void rowSelectionChanged();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void updateGeometries() override;
    void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;

private:
    int headerWidth(int column) const;
    void widenToHeaders();

    std::function<void(QMenu&, const QModelIndex&)> m_menuBuilder;
    QString m_emptyText;
    int m_stretchColumn = -1, m_leastStretch = 0;
    bool m_isStretching = false;
};

// A TableView with a footer that adds up the summable columns of what is selected (of all rows when nothing is).
class TablePane : public QWidget {
    Q_OBJECT
public:
    explicit TablePane(QWidget* parent = nullptr);
    TableView& table() const { return *m_table; }
    void setModel(QAbstractItemModel* model);
    // Stands behind the sums: what has to be known of them. Empty for nothing.
    void setNote(const QString& note);

private:
    void updateFooter();

    TableView* m_table;
    ElidedLabel* m_footer;
    QString m_note;
};

}  // namespace strobe
