// Back and forward through selections, as a browser does.
#pragma once

#include <functional>
#include <vector>

#include "views/models/selection.h"

namespace strobe {

class SelectionHistory {
public:
    const Selection& current() const { return m_entries[m_at]; }
    /// Drops what lay ahead. False when it is what is selected already.
    bool push(Selection selection);
    bool canGoBack() const { return m_at > 0; }
    bool canGoForward() const { return m_at + 1 < m_entries.size(); }
    /// What is come back to was made by no page just now: its origin is gone, so that every page shows it.
    void back();
    void forward();
    void clear();
    /// Changes every entry in place: what a selection means in another build.
    void revise(const std::function<void(Selection&)>& change);

private:
    void goTo(size_t entry);

    std::vector<Selection> m_entries{Selection{}};
    size_t m_at = 0;
};

}  // namespace strobe
