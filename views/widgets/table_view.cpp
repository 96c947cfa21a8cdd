#include "views/widgets/table_view.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "views/widgets/elided_label.h"
#include "views/widgets/number_format.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

QString csvField(QString text) {
    if (!text.contains(',') && !text.contains('"') && !text.contains('\n')) return text;
    return '"' + text.replace('"', QStringLiteral("\"\"")) + '"';
}

QString tableLine(const QStringList& fields, TableTextFormat format) {
    QStringList out;
    for (QString field : fields) {
        if (format == TableTextFormat::Csv)
            out << csvField(field);
        else if (format == TableTextFormat::Markdown)
            out << field.replace('|', QStringLiteral("\\|"));
        else
            out << field.replace('\t', ' ').replace('\n', ' ');
    }
    if (format == TableTextFormat::Tsv) return out.join('\t') + '\n';
    if (format == TableTextFormat::Csv) return out.join(',') + '\n';
    return QStringLiteral("| ") + out.join(QStringLiteral(" | ")) + QStringLiteral(" |\n");
}

std::vector<int> visibleColumns(const QTableView& view) {
    std::vector<int> columns;
    for (int visual = 0; visual < view.horizontalHeader()->count(); ++visual) {
        const int logical = view.horizontalHeader()->logicalIndex(visual);
        if (!view.isColumnHidden(logical)) columns.push_back(logical);
    }
    return columns;
}

bool isRightAligned(const QVariant& alignment) {
    return (alignment.toInt() & Qt::AlignRight) != 0;
}

// Says how wide a column's header is, also of one that is hidden.
class MeasuredHeader : public QHeaderView {
public:
    explicit MeasuredHeader(QWidget* parent) : QHeaderView(Qt::Horizontal, parent) { setSectionsClickable(true); }
    int widthOf(int column) const { return sectionSizeFromContents(column).width(); }
};

// CSV is read by programs: the raw number where there is one. TSV and Markdown are read by people.
QString cellText(const QModelIndex& index, TableTextFormat format) {
    const QVariant raw = index.data(kSortRole);
    if (format == TableTextFormat::Csv && raw.typeId() == QMetaType::Double)
        return QString::number(raw.toDouble(), 'g', 9);
    return index.data(Qt::DisplayRole).toString();
}

}  // namespace

QString tableText(const QTableView& view, const QModelIndexList& rows, TableTextFormat format) {
    const QAbstractItemModel* model = view.model();
    if (model == nullptr) return {};
    const std::vector<int> columns = visibleColumns(view);
    QStringList fields, rule;
    for (const int column : columns) {
        fields << model->headerData(column, Qt::Horizontal).toString();
        const bool right =
            !rows.isEmpty() && isRightAligned(rows.front().siblingAtColumn(column).data(Qt::TextAlignmentRole));
        rule << (right ? QStringLiteral("---:") : QStringLiteral("---"));
    }
    QString text = tableLine(fields, format);
    if (format == TableTextFormat::Markdown) text += tableLine(rule, format);
    for (const QModelIndex& row : rows) {
        fields.clear();
        for (const int column : columns) fields << cellText(row.siblingAtColumn(column), format);
        text += tableLine(fields, format);
    }
    return text;
}

TableView::TableView(QWidget* parent) : QTableView(parent) {
    setHorizontalHeader(new MeasuredHeader(this));
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(NoEditTriggers);
    setShowGrid(false);
    setWordWrap(false);
    setTextElideMode(Qt::ElideMiddle);
    setSortingEnabled(true);
    setHorizontalScrollMode(ScrollPerPixel);
    setVerticalScrollMode(ScrollPerPixel);
    setTabKeyNavigation(false);
    setFont(Theme::figuresFont());
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(QFontMetrics(font()).height() + 6);
    horizontalHeader()->setSectionsMovable(true);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(40);
    horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    connect(horizontalHeader(), &QHeaderView::sectionResized, this, [this](int column, int before, int now) {
        const bool isShownAgain = before == 0 && now > 0;
        if (isShownAgain && now < headerWidth(column)) setColumnWidth(column, headerWidth(column));
    });
    connect(this, &QTableView::activated, this, &TableView::rowActivated);
    connect(&Theme::instance(), &Theme::themeChanged, viewport(), qOverload<>(&QWidget::update));
}

void TableView::setModel(QAbstractItemModel* newModel) {
    if (model() != nullptr) {
        disconnect(model(), &QAbstractItemModel::modelReset, this, &TableView::widenToHeaders);
        disconnect(model(), &QAbstractItemModel::headerDataChanged, this, &TableView::widenToHeaders);
    }
    QTableView::setModel(newModel);
    if (newModel != nullptr) {
        connect(newModel, &QAbstractItemModel::modelReset, this, &TableView::widenToHeaders);
        connect(newModel, &QAbstractItemModel::headerDataChanged, this, &TableView::widenToHeaders);
    }
    emit rowSelectionChanged();
}

QModelIndexList TableView::rowsForCopy() const {
    QModelIndexList rows;
    if (model() == nullptr) return rows;
    if (selectionModel() != nullptr) rows = selectionModel()->selectedRows();
    if (rows.isEmpty()) {
        for (int row = 0; row < model()->rowCount(rootIndex()); ++row) rows << model()->index(row, 0, rootIndex());
    }
    std::sort(rows.begin(), rows.end(), [](const QModelIndex& a, const QModelIndex& b) { return a.row() < b.row(); });
    return rows;
}

void TableView::copySelection(TableTextFormat format) {
    QApplication::clipboard()->setText(tableText(*this, rowsForCopy(), format));
}

void TableView::setMenuBuilder(std::function<void(QMenu&, const QModelIndex&)> builder) {
    m_menuBuilder = std::move(builder);
}

void TableView::setEmptyText(const QString& text) {
    m_emptyText = text;
    viewport()->update();
}

int TableView::headerWidth(int column) const {
    const auto* header = static_cast<const MeasuredHeader*>(horizontalHeader());
    return header->widthOf(column);
}

void TableView::setColumnWidths(std::span<const int> widths) {
    for (size_t at = 0; at < widths.size(); ++at) {
        const int column = static_cast<int>(at);
        setColumnWidth(column, std::max(widths[at], headerWidth(column)));
    }
}

void TableView::widenToHeaders() {
    for (int column = 0; column < horizontalHeader()->count(); ++column)
        if (!isColumnHidden(column) && columnWidth(column) < headerWidth(column))
            setColumnWidth(column, headerWidth(column));
}

void TableView::setStretchColumn(int column, int least) {
    m_stretchColumn = column;
    m_leastStretch = least;
    updateGeometries();
}

void TableView::updateGeometries() {
    // Called for every change of sizes, hiding and models alike; the resize below calls it again.
    if (m_stretchColumn >= 0 && !m_isStretching && model() != nullptr && m_stretchColumn < model()->columnCount()) {
        m_isStretching = true;
        const int others = horizontalHeader()->length() - columnWidth(m_stretchColumn);
        const int width = std::max(m_leastStretch, viewport()->width() - others);
        if (width != columnWidth(m_stretchColumn)) setColumnWidth(m_stretchColumn, width);
        m_isStretching = false;
    }
    QTableView::updateGeometries();
}

void TableView::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) {
        copySelection(TableTextFormat::Tsv);
        event->accept();
        return;
    }
    // Return activates on every platform; Qt leaves it to the style.
    if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && currentIndex().isValid()) {
        emit rowActivated(currentIndex());
        event->accept();
        return;
    }
    if (event->modifiers().testFlag(Qt::AltModifier)) {
        event->ignore();
        return;
    }
    QTableView::keyPressEvent(event);
}

void TableView::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    if (m_menuBuilder) m_menuBuilder(menu, indexAt(event->pos()));
    if (!menu.isEmpty()) menu.addSeparator();
    menu.addAction(tr("Copy"), QKeySequence::Copy, this, [this] { copySelection(TableTextFormat::Tsv); });
    menu.addAction(tr("Copy as CSV"), this, [this] { copySelection(TableTextFormat::Csv); });
    menu.addAction(tr("Copy as Markdown"), this, [this] { copySelection(TableTextFormat::Markdown); });
    if (model() != nullptr) {
        QMenu* columns = menu.addMenu(tr("Columns"));
        for (int column = 0; column < model()->columnCount(); ++column) {
            QAction* action = columns->addAction(model()->headerData(column, Qt::Horizontal).toString());
            action->setCheckable(true);
            action->setChecked(!isColumnHidden(column));
            connect(action, &QAction::toggled, this, [this, column](bool on) { setColumnHidden(column, !on); });
        }
    }
    menu.exec(event->globalPos());
}

void TableView::paintEvent(QPaintEvent* event) {
    QTableView::paintEvent(event);
    if (m_emptyText.isEmpty() || (model() != nullptr && model()->rowCount(rootIndex()) > 0)) return;
    QPainter painter(viewport());
    painter.setPen(Theme::instance().colours().secondary);
    painter.drawText(viewport()->rect().adjusted(kGrid, kGrid, -kGrid, -kGrid), Qt::AlignCenter | Qt::TextWordWrap,
                     m_emptyText);
}

void TableView::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
    QTableView::selectionChanged(selected, deselected);
    emit rowSelectionChanged();
}

TablePane::TablePane(QWidget* parent) : QWidget(parent), m_table(new TableView(this)), m_footer(new ElidedLabel({}, this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_footer);
    m_footer->setObjectName(QStringLiteral("tableFooter"));
    m_footer->setContentsMargins(kGrid, 3, kGrid, 3);
    m_footer->setForegroundRole(QPalette::PlaceholderText);
    connect(m_table, &TableView::rowSelectionChanged, this, &TablePane::updateFooter);
}

void TablePane::setModel(QAbstractItemModel* model) {
    if (m_table->model() != nullptr) m_table->model()->disconnect(this);
    m_table->setModel(model);
    if (model != nullptr) {
        connect(model, &QAbstractItemModel::rowsInserted, this, &TablePane::updateFooter);
        connect(model, &QAbstractItemModel::rowsRemoved, this, &TablePane::updateFooter);
        connect(model, &QAbstractItemModel::modelReset, this, &TablePane::updateFooter);
        connect(model, &QAbstractItemModel::dataChanged, this, &TablePane::updateFooter);
    }
    updateFooter();
}

void TablePane::setNote(const QString& note) {
    m_note = note;
    updateFooter();
}

void TablePane::updateFooter() {
    const QAbstractItemModel* model = m_table->model();
    if (model == nullptr || model->rowCount() == 0) {
        m_footer->clear();
        return;
    }
    const QModelIndexList rows = m_table->rowsForCopy();
    const bool isSelection = m_table->selectionModel()->hasSelection();
    QStringList parts{isSelection
                          ? tr("%1 of %2 rows selected").arg(formatCount(rows.size()), formatCount(model->rowCount()))
                          : tr("%1 rows").arg(formatCount(rows.size()))};
    for (const int column : visibleColumns(*m_table)) {
        if (!model->headerData(column, Qt::Horizontal, kSummableRole).toBool()) continue;
        double sum = 0;
        for (const QModelIndex& row : rows) sum += row.siblingAtColumn(column).data(kSortRole).toDouble();
        parts << model->headerData(column, Qt::Horizontal).toString() + QStringLiteral(" ") + formatNumber(sum);
    }
    if (!m_note.isEmpty()) parts << m_note;
    m_footer->setText(parts.join(QStringLiteral("   ·   ")));
}

}  // namespace strobe
