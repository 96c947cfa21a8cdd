#include "views/models/workbench_context.h"

#include <algorithm>
#include <mutex>

namespace strobe {

// Between the session's threads and the GUI thread. Changes that pile up while the GUI is busy become one call. The session may
// still call a listener that was just removed, hence the shared ownership and the lock around the target.
struct WorkbenchContext::Bridge {
    std::mutex mutex;
    WorkbenchContext* target = nullptr;
    unsigned pending = 0;

    void post(SessionChange change) {
        std::lock_guard lock(mutex);
        if (!target) return;
        const bool isFirst = pending == 0;
        pending |= 1u << static_cast<unsigned>(change);
        if (!isFirst) return;
        QMetaObject::invokeMethod(
            target, [this] { target->deliver(take()); }, Qt::QueuedConnection);
    }
    unsigned take() {
        std::lock_guard lock(mutex);
        return std::exchange(pending, 0u);
    }
};

WorkbenchContext::WorkbenchContext(Session& session, QObject* parent)
    : QObject(parent), m_session(session), m_bridge(std::make_shared<Bridge>()) {
    m_bridge->target = this;
    m_listener = session.addListener([bridge = m_bridge](SessionChange change) { bridge->post(change); });
    m_index = std::make_shared<const BuildIndex>(session.model(), nullptr);
    followBuilds();
    followComparisons();
    followJobs();
}

WorkbenchContext::~WorkbenchContext() {
    m_session.removeListener(m_listener);
    std::lock_guard lock(m_bridge->mutex);
    m_bridge->target = nullptr;
}

void WorkbenchContext::deliver(unsigned changes) {
    const auto has = [changes](SessionChange change) { return (changes >> static_cast<unsigned>(change) & 1u) != 0; };
    // The model first: the rest speaks about it.
    if (has(SessionChange::Model)) followModel();
    if (has(SessionChange::Settings)) emit settingsChanged();
    if (has(SessionChange::Builds)) {
        followBuilds();
        emit buildsChanged();
    }
    if (has(SessionChange::Comparisons)) {
        followComparisons();
        emit comparisonsChanged();
    }
    if (has(SessionChange::Problems)) emit problemsChanged();
    if (has(SessionChange::Jobs)) {
        followJobs();
        emit jobsChanged();
    }
    if (has(SessionChange::Document)) emit documentChanged();
}

void WorkbenchContext::followModel() {
    m_index = std::make_shared<const BuildIndex>(m_session.model(), nullptr);
    m_comparison = nullptr;
    m_newestBuild = m_newestComparison = 0;
    m_history.clear();
    emit modelChanged();
    emit currentBuildChanged();
    emit currentComparisonChanged();
    announceSelection();
}

void WorkbenchContext::followBuilds() {
    const auto builds = m_session.builds();
    const int newest = builds.empty() ? 0 : builds.back()->id;
    const auto& current = m_index->build();
    const bool isGone = current && !m_session.build(current->id);
    if (newest > m_newestBuild || isGone)
        setCurrentBuild(newest);
    else if (current)
        setCurrentBuild(current->id);  // it may have been measured again
    m_newestBuild = std::max(m_newestBuild, newest);
}

void WorkbenchContext::followComparisons() {
    const auto all = m_session.comparisons();
    const int newest = all.empty() ? 0 : all.back()->id;
    const auto isSame = [&](const auto& c) { return c->id == m_comparison->id; };
    const bool isGone = m_comparison && std::none_of(all.begin(), all.end(), isSame);
    if (newest > m_newestComparison || isGone)
        setCurrentComparison(newest);
    else if (m_comparison)
        setCurrentComparison(m_comparison->id);  // it may have got new times
    m_newestComparison = std::max(m_newestComparison, newest);
}

void WorkbenchContext::followJobs() {
    m_jobs = m_session.jobs().jobs();
    for (JobInfo& job : m_jobs) {
        if (job.state != JobState::Running) continue;
        if (std::exchange(m_timed, job.id) != job.id) m_timeLeft = {};
        job.secondsLeft = m_timeLeft.update(job.secondsLeft, job.secondsSpent);
    }
}

void WorkbenchContext::setCurrentBuild(int id) {
    auto build = m_session.build(id);
    if (build == m_index->build()) return;
    const auto before = std::exchange(m_index, std::make_shared<const BuildIndex>(m_session.model(), std::move(build)));
    m_history.revise([&](Selection& selection) {
        selection.origin.clear();  // no page shows it of this build yet
        if (selection.layer && selection.layer->stage != GraphStage::Parsed) selection.layer = before->sameLayerIn(*m_index, *selection.layer);
    });
    emit currentBuildChanged();
    emit selectionChanged(Selection(selection()));
}

void WorkbenchContext::setCurrentComparison(int id) {
    std::shared_ptr<const Comparison> found;
    for (const auto& comparison : m_session.comparisons())
        if (comparison->id == id) found = comparison;
    if (found == m_comparison) return;
    m_comparison = std::move(found);
    emit currentComparisonChanged();
}

std::shared_ptr<const Comparison> WorkbenchContext::comparisonOfCurrentBuild() const {
    const auto build = currentBuild();
    if (!build) return nullptr;
    if (m_comparison && m_comparison->b == build->id) return m_comparison;
    std::shared_ptr<const Comparison> newest;
    for (const auto& comparison : m_session.comparisons())
        if (comparison->b == build->id) newest = comparison;
    return newest;
}

void WorkbenchContext::select(Selection selection) {
    if (selection.nodes.empty() && selection.layer) selection.nodes = m_index->nodesOf(*selection.layer);
    std::sort(selection.nodes.begin(), selection.nodes.end());
    selection.nodes.erase(std::unique(selection.nodes.begin(), selection.nodes.end()), selection.nodes.end());
    if (m_history.push(std::move(selection))) announceSelection();
}

void WorkbenchContext::selectNodes(std::vector<int> nodes, const QString& origin) {
    select({std::move(nodes), std::nullopt, {}, origin});
}
void WorkbenchContext::selectLayer(const LayerRef& layer, const QString& origin) {
    select({{}, layer, {}, origin});
}
void WorkbenchContext::selectTensor(const QString& tensor, const QString& origin) {
    select({{}, std::nullopt, tensor, origin});
}

void WorkbenchContext::undo() {
    if (const QString label = QString::fromStdString(m_session.undoLabel()); !label.isEmpty()) {
        m_session.undo();
        emit settingsStepped(label, true);
    }
}
void WorkbenchContext::redo() {
    if (const QString label = QString::fromStdString(m_session.redoLabel()); !label.isEmpty()) {
        m_session.redo();
        emit settingsStepped(label, false);
    }
}

void WorkbenchContext::back() {
    if (!canGoBack()) return;
    m_history.back();
    announceSelection();
}
void WorkbenchContext::forward() {
    if (!canGoForward()) return;
    m_history.forward();
    announceSelection();
}

void WorkbenchContext::announceSelection() {
    // A copy: a listener may select something else.
    const Selection now = selection();
    emit selectionChanged(now);
    emit historyChanged();
}

std::vector<LayerRef> WorkbenchContext::selectedLayers(GraphStage stage) const {
    const Selection& now = selection();
    if (now.layer && m_index->layer(*now.layer)) return m_index->counterparts(*now.layer, stage);
    return m_index->layersOf(stage, now.nodes);
}

}  // namespace strobe
