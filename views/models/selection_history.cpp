#include "views/models/selection_history.h"

namespace strobe {
namespace {

constexpr size_t kMaxEntries = 200;

}  // namespace

bool SelectionHistory::push(Selection selection) {
    if (selection.sameThings(current())) return false;
    m_entries.resize(m_at + 1);
    m_entries.push_back(std::move(selection));
    if (m_entries.size() > kMaxEntries) m_entries.erase(m_entries.begin());
    m_at = m_entries.size() - 1;
    return true;
}

void SelectionHistory::back() {
    if (canGoBack()) goTo(m_at - 1);
}

void SelectionHistory::forward() {
    if (canGoForward()) goTo(m_at + 1);
}

void SelectionHistory::goTo(size_t entry) {
    m_at = entry;
    m_entries[m_at].origin.clear();
}

void SelectionHistory::clear() {
    m_entries.assign(1, Selection{});
    m_at = 0;
}

void SelectionHistory::revise(const std::function<void(Selection&)>& change) {
    for (Selection& entry : m_entries) change(entry);
}

}  // namespace strobe
