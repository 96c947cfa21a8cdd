// What is this network, and what became of it? Parsed, Fused and Engine as three states of one canvas.
#pragma once

#include <QTimer>
#include <memory>

#include "views/models/graph_query.h"
#include "views/models/graph_scene_builder.h"
#include "views/pages/graph/graph_colouring.h"
#include "views/pages/page.h"

class QComboBox;
class QLabel;
class QMenu;

namespace strobe {

class FilterBar;
class GraphCanvas;
class SegmentedControl;

class GraphPage : public Page {
    Q_OBJECT
public:
    explicit GraphPage(WorkbenchContext& context, QWidget* parent = nullptr);

    GraphStage stage() const { return m_stage; }
    void setStage(GraphStage stage);
    GraphColour colour() const { return m_colour; }
    void setColour(GraphColour colour);
    GraphCanvas& canvas() const { return *m_canvas; }
    /// The model whose graph stands in the canvas: for a moment the one before, while a new one's is being made. Null for none.
    std::shared_ptr<const Model> shownModel() const { return m_shownModel; }
    /// Puts the keyboard into the search field.
    void startSearch();
    FilterBar& searchBar() const { return *m_search; }
    QWidget* focusTarget() override;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildHeader();
    void connectAll();
    void rebuildSoon();
    void rebuild();
    void showScene(std::shared_ptr<const GraphSceneData> scene);
    void showCounts();
    void fitSearch();
    void recolour();
    void updateStages();
    void followNewBuild();
    void showSelection();
    void takeSelection(const std::vector<int64_t>& ids);
    void runQuery();
    void showHit(int index, int count);
    void showMenu(const QPoint& at, int64_t id);
    void addFoldActions(QMenu& menu, int64_t id);
    const GraphNodeFacts* factsOf(int64_t id) const;

    SegmentedControl* m_stages;
    QComboBox* m_colours;
    FilterBar* m_search;
    GraphCanvas* m_canvas;
    QLabel* m_notice;
    GraphStage m_stage = GraphStage::Parsed;
    GraphColour m_colour = GraphColour::Family;
    bool m_stageChosen = false;  // by the user: then a new build does not switch it
    std::shared_ptr<const GraphSceneData> m_data;
    std::shared_ptr<const Model> m_shownModel;  // of m_data
    bool m_isStale = false;                     // m_data is about another build, model or stage than the context
    GraphQuery m_query;
    QTimer m_rebuild;
    int m_generation = 0;
};

}  // namespace strobe
