// Where does the time go? One row a layer of the current build, filtered, grouped and added up.
#pragma once

#include "views/models/layer_group_model.h"
#include "views/models/layer_table_model.h"
#include "views/models/selection.h"
#include "views/pages/page.h"

class QMenu;
class QStackedWidget;

namespace strobe {

class EmptyState;
class FilterBar;
class SegmentedControl;
class TablePane;

class LayersPage : public Page {
    Q_OBJECT
public:
    explicit LayersPage(WorkbenchContext& context, QWidget* parent = nullptr);

    QWidget* focusTarget() override;
    // As if the user typed it.
    void setFilter(const QString& text);
    void setGrouping(LayerGrouping grouping);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitFilter();
    void buildHeader();
    void buildLayerTable();
    void buildGroupTable();
    void followBuild();
    void followSelection(const Selection& selection);
    void applyFilter(const QString& text);
    void updateGroups();
    void publishLayers();
    void publishGroups();
    void openGroup(const QModelIndex& index);
    void fillMenu(QMenu& menu, const QModelIndex& index);
    QString question() const;

    LayerTablePtr m_layers;
    QString m_doubt;  // why its times cannot be trusted
    LayerTableModel m_model;
    LayerFilterProxy m_filtered{m_model};
    LayerGroupModel m_groupModel;
    SortProxy m_sortedGroups;
    LayerGrouping m_grouping = LayerGrouping::None;
    bool m_isFollowing = false;  // the tables change by another's doing: say nothing back

    FilterBar* m_filter;
    SegmentedControl* m_grouper;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    TablePane *m_layerPane, *m_groupPane;
};

}  // namespace strobe
