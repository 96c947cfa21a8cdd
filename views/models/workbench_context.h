// What all parts of the window share: the session's changes as signals of the GUI thread, which build and which comparison are looked
// at, and the one selection. Owns nothing of the session, which must outlive it. GUI thread only.
#pragma once

#include <QHash>
#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "sessions/session.h"
#include "views/models/build_index.h"
#include "views/models/selection.h"
#include "views/models/selection_history.h"
#include "views/models/time_left.h"

class QAction;

namespace strobe {

class WorkbenchContext : public QObject {
    Q_OBJECT
public:
    explicit WorkbenchContext(Session& session, QObject* parent = nullptr);
    ~WorkbenchContext() override;

    Session& session() const { return m_session; }
    std::shared_ptr<const Model> model() const { return m_index->model(); }

    /// The build that the pages show; null while there is none. The newest becomes current when it arrives. A selected layer of the
    /// build before is then the layer of this one that does its work; where there is none, its ONNX nodes stay selected.
    std::shared_ptr<const Build> currentBuild() const { return m_index->build(); }
    void setCurrentBuild(int id);
    /// The comparison that the pages show; null while there is none. The newest becomes current when it arrives.
    std::shared_ptr<const Comparison> currentComparison() const { return m_comparison; }
    /// 0 for none.
    void setCurrentComparison(int id);
    /// What is known of the current build's errors: a comparison with it as the candidate, the current one or else the
    /// newest. Null while there is none: figures of another build must not be shown for this one.
    std::shared_ptr<const Comparison> comparisonOfCurrentBuild() const;

    /// As the session tells them, but for a running job's time left, which runs down evenly. As of the last jobsChanged.
    const std::vector<JobInfo>& jobs() const { return m_jobs; }

    /// Provenance of the model and the current build; never null. Replaced, not changed, when either changes.
    std::shared_ptr<const BuildIndex> index() const { return m_index; }

    const Selection& selection() const { return m_history.current(); }
    /// Takes nodes from the layer when only a layer is given. Nodes need not be sorted.
    void select(Selection selection);
    void selectNodes(std::vector<int> nodes, const QString& origin);
    void selectLayer(const LayerRef& layer, const QString& origin);
    void selectTensor(const QString& tensor, const QString& origin);
    void clearSelection() { select({}); }
    bool canGoBack() const { return m_history.canGoBack(); }
    bool canGoForward() const { return m_history.canGoForward(); }
    void back();
    void forward();

    /// The selection as layers of a stage of the current build: the layer pointed at (or its counterparts), else those that hold the nodes.
    std::vector<LayerRef> selectedLayers(GraphStage stage) const;

    /// One step of the settings' history, which is told by settingsStepped.
    void undo();
    void redo();

    /// Asks the window to bring a page to the front; `page` is its objectName ("layersPage").
    void showPage(const QString& page) { emit pageRequested(page); }
    /// The window's actions by id ("build", "compare", "open" …), for empty states and context menus. Null when unknown; not owned.
    QAction* action(const QString& id) const { return m_actions.value(id); }
    void registerAction(const QString& id, QAction* action) { m_actions.insert(id, action); }

signals:
    void modelChanged();
    void settingsChanged();
    void settingsStepped(const QString& label, bool undone);  // undone or redone; settingsChanged follows
    void buildsChanged();
    void comparisonsChanged();
    void problemsChanged();
    void jobsChanged();
    void documentChanged();
    void currentBuildChanged();       // also when the model changed
    void currentComparisonChanged();  // also when it was removed
    void selectionChanged(const strobe::Selection& selection);
    void historyChanged();
    void pageRequested(const QString& page);

private:
    struct Bridge;
    void deliver(unsigned changes);
    void followModel();
    void followBuilds();
    void followComparisons();
    void followJobs();
    void announceSelection();

    Session& m_session;
    std::shared_ptr<Bridge> m_bridge;
    int m_listener = 0;
    std::shared_ptr<const BuildIndex> m_index;
    std::shared_ptr<const Comparison> m_comparison;
    int m_newestBuild = 0, m_newestComparison = 0;  // highest ids seen
    SelectionHistory m_history;
    std::vector<JobInfo> m_jobs;
    TimeLeft m_timeLeft;
    JobId m_timed = 0;  // the job that m_timeLeft is about
    QHash<QString, QAction*> m_actions;
};

}  // namespace strobe
