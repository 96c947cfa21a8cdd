// What exactly is this one? Everything known about the selected layer, node or tensor, and what can be changed about it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine_core/base/data_type.h"
#include "views/models/selection.h"
#include "views/pages/page.h"
#include "views/widgets/key_value_view.h"

class QLabel;
class QMenu;
class QStackedWidget;
class QToolButton;

namespace strobe {

class BarChart;
class EmptyState;


struct Layer;
struct Weights;

class InspectorPage : public Page {
    Q_OBJECT
public:
    explicit InspectorPage(WorkbenchContext& context, QWidget* parent = nullptr);
    KeyValueView& details() const { return *m_details; }
    QWidget* focusTarget() override;

private:
    void buildContent();
    void follow();
    void showLayer(const LayerRef& ref);
    void showTensor(const QString& name);
    void showNodes(const std::vector<int>& nodes);
    void present(const QString& title, const QString& name, std::vector<KeyValueSection> sections);
    void loadWeights(const LayerRef& ref);
    void loadWeights(const QString& name, std::shared_ptr<const Weights> weights);
    void followLink(const QString& link);
    void fillPrecisionMenu(QMenu& menu);
    void fillTacticMenu(QMenu& menu, bool ban);
    void updateButtons();
    void forcePrecision(std::optional<DataType> type);
    /// The layer that rules name: the engine's when there is one.
    const Layer* ruledLayer() const;

    QStackedWidget* m_stack;
    EmptyState* m_empty;
    QLabel *m_title, *m_name;
    QToolButton *m_precision, *m_pin, *m_ban;
    KeyValueView* m_details;
    QLabel* m_weightsTitle;
    BarChart* m_weights;
    std::optional<LayerRef> m_shown;
    std::vector<KeyValueSection> m_sections;  // as shown
    int m_generation = 0;
};

}  // namespace strobe
