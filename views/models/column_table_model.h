// What the flat tables of the window share: titled columns, alignment of numbers, the sort that TableView expects.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <QString>
#include <vector>

namespace strobe {

// Rows of one immutable result under named columns. Numbers are right-aligned; cells give kSortRole in the unit of
// their column's title, so that sums and copies speak in that unit.
class ColumnTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    struct Column {
        QString title;
        QString tooltip;
        bool isNumber = false;
        bool isSummable = false;
    };

    using QAbstractTableModel::QAbstractTableModel;
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : m_rows; }
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

protected:
    void setColumns(std::vector<Column> columns) { m_columns = std::move(columns); }  // between begin and endResetModel
    void setRowTotal(int rows) { m_rows = rows; }                                     // likewise
    // The value of a cell that exists; alignment is answered already.
    virtual QVariant cell(int row, int column, int role) const = 0;

private:
    std::vector<Column> m_columns;
    int m_rows = 0;
};

// Sorts by kSortRole; cells without a value stay at the end whichever way it sorts.
class SortProxy : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit SortProxy(QObject* parent = nullptr);

protected:
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;
};

}  // namespace strobe
