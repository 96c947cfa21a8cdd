#include "views/models/graph_query.h"

#include <QRegularExpression>

namespace strobe {
namespace {

double millisecondsOf(const QString& unit) {
    if (unit == QLatin1String("s")) return 1e3;
    if (unit == QLatin1String("us") || unit == QStringLiteral("µs")) return 1e-3;
    if (unit == QLatin1String("ns")) return 1e-6;
    return 1;
}

}  // namespace

GraphQuery GraphQuery::parse(const QString& text) {
    GraphQuery query;
    for (const QString& word : text.split(' ', Qt::SkipEmptyParts)) {
        Term term = query.parseTerm(word);
        if (!query.m_error.isEmpty()) {
            query.m_terms.clear();
            return query;
        }
        query.m_terms.push_back(std::move(term));
    }
    return query;
}

GraphQuery::Term GraphQuery::parseTime(const QString& text) {
    static const QRegularExpression pattern(QStringLiteral("^time(<=|>=|<|>)(\\d*\\.?\\d+)(s|ms|us|µs|ns)?$"));
    const QRegularExpressionMatch match = pattern.match(text);
    if (!match.hasMatch()) {
        m_error = QStringLiteral("write a time as time>1ms or time<50us");
        return {};
    }
    const double limit = match.captured(2).toDouble() * millisecondsOf(match.captured(3));
    const bool above = match.captured(1).startsWith('>'), orEqual = match.captured(1).size() == 2;
    return [=](const GraphNode&, const GraphNodeFacts& facts) {
        if (facts.milliseconds < 0) return false;
        if (orEqual && facts.milliseconds == limit) return true;
        return above ? facts.milliseconds > limit : facts.milliseconds < limit;
    };
}

GraphQuery::Term GraphQuery::parseTerm(const QString& text) {
    static const QRegularExpression time(QStringLiteral("^time[<>]"));
    if (time.match(text).hasMatch()) return parseTime(text);
    if (text.size() > 2 && text.startsWith('/') && text.endsWith('/')) {
        const QRegularExpression regex(text.mid(1, text.size() - 2), QRegularExpression::CaseInsensitiveOption);
        if (!regex.isValid()) m_error = regex.errorString();
        return [regex](const GraphNode& node, const GraphNodeFacts&) { return regex.match(node.subtitle).hasMatch(); };
    }
    if (text.startsWith(QLatin1String("op:"))) {
        const QRegularExpression op(QRegularExpression::wildcardToRegularExpression(text.mid(3)), QRegularExpression::CaseInsensitiveOption);
        return [op](const GraphNode& node, const GraphNodeFacts& facts) {
            return op.match(facts.op).hasMatch() || op.match(node.title).hasMatch();
        };
    }
    if (text.startsWith(QLatin1String("precision:"))) {
        const QString wanted = text.mid(10);
        return [wanted](const GraphNode&, const GraphNodeFacts& facts) { return facts.precision.compare(wanted, Qt::CaseInsensitive) == 0; };
    }
    return [text](const GraphNode& node, const GraphNodeFacts& facts) {
        if (node.title.contains(text, Qt::CaseInsensitive) || node.subtitle.contains(text, Qt::CaseInsensitive)) return true;
        if (facts.precision.compare(text, Qt::CaseInsensitive) == 0) return true;
        return text.contains('=') && facts.attributes.contains(text, Qt::CaseInsensitive);
    };
}

bool GraphQuery::matches(const GraphNode& node, const GraphNodeFacts& facts) const {
    if (m_terms.empty()) return false;
    for (const Term& term : m_terms)
        if (!term(node, facts)) return false;
    return true;
}

std::vector<int64_t> GraphQuery::find(const GraphSceneData& data) const {
    std::vector<int64_t> hits;
    if (!data.scene) return hits;
    for (size_t i = 0; i < data.scene->nodes.size(); ++i)
        if (matches(data.scene->nodes[i], data.facts[i])) hits.push_back(data.scene->nodes[i].id);
    return hits;
}

}  // namespace strobe
