// The filter language of the Layers page: words and conditions, all of which must hold.
//
//   conv scope:model.2 op:Conv* precision:bf16 time>1ms share>=5% gflops<100 -tactic:reference
//
// A plain word is looked for in name, op, tactic and ONNX nodes. "key:text" compares whole (with * and ?) for op and
// precision, takes a scope with all that is inside it (and those without one for "scope:"), and looks for the text
// elsewhere. A leading "-" turns a term round; quotes keep blanks together.
#pragma once

#include <QString>
#include <QStringList>
#include <functional>
#include <vector>

#include "views/models/layer_table.h"

namespace strobe {

class LayerFilter {
public:
    // The filter and, where the text makes no sense, what is wrong with it; terms that make none are left out.
    static LayerFilter parse(const QString& text);

    // "key:value" as it is to be typed.
    static QString term(const QString& key, const QString& value);

    bool matches(const LayerRow& row) const;
    bool isEmpty() const { return m_terms.empty(); }
    const QString& error() const { return m_error; }  // empty: the text is understood

private:
    using Term = std::function<bool(const LayerRow&)>;
    static Term parseTerm(const QString& text, QString& error);

    std::vector<Term> m_terms;
    QString m_error;
};

}  // namespace strobe
