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
    void back() { m_at -= canGoBack() ? 1 : 0; }
    void forward() { m_at += canGoForward() ? 1 : 0; }
    void clear();
    /// Changes every entry in place: what a selection means in another build.
    void revise(const std::function<void(Selection&)>& change);

private:
    std::vector<Selection> m_entries{Selection{}};
    size_t m_at = 0;
};

}  // namespace strobe
