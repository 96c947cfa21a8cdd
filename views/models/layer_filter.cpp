#include "views/models/layer_filter.h"

#include <QObject>
#include <QRegularExpression>
#include <cmath>
#include <map>
#include <optional>

namespace strobe {
namespace {

using Number = double (*)(const LayerRow&);
using Text = QString (*)(const LayerRow&);

struct NumberField {
    Number value;
    double plainUnit;  // what a number without unit is counted in
};

const std::map<QString, NumberField>& numberFields() {
    static const std::map<QString, NumberField> fields{
        {"time", {[](const LayerRow& r) { return r.seconds; }, 1e-3}},
        {"share", {[](const LayerRow& r) { return r.share; }, 1e-2}},
        {"cumulative", {[](const LayerRow& r) { return r.cumulative; }, 1e-2}},
        {"spread", {[](const LayerRow& r) { return r.spread; }, 1e-2}},
        {"calls", {[](const LayerRow& r) { return r.calls; }, 1}},
        {"flops", {[](const LayerRow& r) { return r.flops; }, 1}},
        {"bytes", {[](const LayerRow& r) { return r.bytes; }, 1}},
        {"gflops", {[](const LayerRow& r) { return r.flopsPerSecond() / 1e9; }, 1}},
        {"gbps", {[](const LayerRow& r) { return r.bytesPerSecond() / 1e9; }, 1}},
        {"nodes", {[](const LayerRow& r) { return static_cast<double>(r.provenance.size()); }, 1}},
    };
    return fields;
}

enum class Match { Part, Whole, Path };  // Path: itself and what is inside it, parts being divided by "/"

struct TextField {
    Text value;
    Match match;
};

const std::map<QString, TextField>& textFields() {
    static const std::map<QString, TextField> fields{
        {"op", {[](const LayerRow& r) { return r.op; }, Match::Whole}},
        {"precision", {[](const LayerRow& r) { return r.precision; }, Match::Whole}},
        {"name", {[](const LayerRow& r) { return r.name; }, Match::Part}},
        {"scope", {[](const LayerRow& r) { return r.scope; }, Match::Path}},
        {"shape", {[](const LayerRow& r) { return r.shape; }, Match::Part}},
        {"tactic", {[](const LayerRow& r) { return r.tactic; }, Match::Part}},
        {"why", {[](const LayerRow& r) { return r.facts.precisionNote; }, Match::Part}},
        {"node", {[](const LayerRow& r) { return r.nodes.join('\n'); }, Match::Part}},
    };
    return fields;
}

std::optional<double> unitFactor(const QString& unit, double plainUnit) {
    static const std::map<QString, double> factors{{"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6},       {"ms", 1e-3},
                                                   {"s", 1},     {"%", 1e-2},  {"k", 1e3},         {"m", 1e6},
                                                   {"g", 1e9},   {"kib", 1024}, {"mib", 1048576.0}, {"gib", 1073741824.0}};
    if (unit.isEmpty()) return plainUnit;
    const auto found = factors.find(unit.toLower());
    return found == factors.end() ? std::nullopt : std::optional(found->second);
}

std::function<bool(const QString&)> textMatcher(const QString& wanted, Match match) {
    if (match == Match::Part)
        return [wanted](const QString& text) { return text.contains(wanted, Qt::CaseInsensitive); };
    if (match == Match::Whole) {
        const auto pattern =
            QRegularExpression::fromWildcard(wanted.isEmpty() ? QStringLiteral("*") : wanted, Qt::CaseInsensitive);
        return [pattern](const QString& text) { return pattern.match(text).hasMatch(); };
    }
    QString path = QRegularExpression::escape(wanted);
    path.replace(QLatin1String("\\*"), QLatin1String(".*")).replace(QLatin1String("\\?"), QLatin1String("."));
    const QRegularExpression pattern(QStringLiteral("^(?:%1)(?:/.*)?$").arg(path),
                                     QRegularExpression::CaseInsensitiveOption);
    return [pattern](const QString& text) { return pattern.match(text).hasMatch(); };
}

bool compare(double value, const QString& comparison, double limit) {
    if (comparison == ">") return value > limit;
    if (comparison == "<") return value < limit;
    if (comparison == ">=") return value >= limit;
    if (comparison == "<=") return value <= limit;
    return std::abs(value - limit) <= 1e-9 * std::max(std::abs(value), std::abs(limit));
}

QStringList splitTerms(const QString& text) {
    static const QRegularExpression term(QStringLiteral(R"((?:[^\s"]|"[^"]*"?)+)"));
    QStringList terms;
    for (auto at = term.globalMatch(text); at.hasNext();) terms << at.next().captured().remove('"');
    return terms;
}

bool anyTextHas(const LayerRow& row, const QString& word) {
    for (const QString* text : {&row.name, &row.op, &row.tactic})
        if (text->contains(word, Qt::CaseInsensitive)) return true;
    return row.nodes.join('\n').contains(word, Qt::CaseInsensitive);
}

}  // namespace

LayerFilter LayerFilter::parse(const QString& text) {
    LayerFilter filter;
    for (const QString& written : splitTerms(text)) {
        const bool isTurned = written.size() > 1 && written.startsWith('-');
        Term term = parseTerm(isTurned ? written.mid(1) : written, filter.m_error);
        if (!term) continue;
        if (isTurned)
            filter.m_terms.push_back([term](const LayerRow& row) { return !term(row); });
        else
            filter.m_terms.push_back(std::move(term));
    }
    return filter;
}

LayerFilter::Term LayerFilter::parseTerm(const QString& text, QString& error) {
    static const QRegularExpression number(QStringLiteral(R"(^(\w+)(>=|<=|>|<|=)([0-9.]+(?:e-?[0-9]+)?)?(.*)$)"));
    static const QRegularExpression keyed(QStringLiteral("^(\\w+):(.*)$"));
    if (const auto match = number.match(text); match.hasMatch()) {
        const auto field = numberFields().find(match.captured(1).toLower());
        if (field == numberFields().end()) {
            error = QObject::tr("“%1” is no number; there are time, share, flops, bytes, gflops, gbps …").arg(match.captured(1));
            return {};
        }
        bool isNumber = false;
        const double limit = match.captured(3).toDouble(&isNumber);
        const auto unit = unitFactor(match.captured(4), field->second.plainUnit);
        if (!isNumber || !unit) {
            error = QObject::tr("“%1” needs a number, such as %2>1").arg(text, match.captured(1));
            return {};
        }
        return [value = field->second.value, comparison = match.captured(2), limit = limit * *unit](const LayerRow& row) {
            return compare(value(row), comparison, limit);
        };
    }
    if (const auto match = keyed.match(text); match.hasMatch()) {
        const auto field = textFields().find(match.captured(1).toLower());
        if (field != textFields().end())
            return [value = field->second.value, fits = textMatcher(match.captured(2), field->second.match)](
                       const LayerRow& row) { return fits(value(row)); };
        error = QObject::tr("“%1:” is unknown; there are op, precision, name, scope, shape, tactic, why, node").arg(match.captured(1));
        return {};
    }
    return [text](const LayerRow& row) { return anyTextHas(row, text); };
}

QString LayerFilter::term(const QString& key, const QString& value) {
    return key + ':' + (value.contains(' ') ? '"' + value + '"' : value);
}

bool LayerFilter::matches(const LayerRow& row) const {
    for (const Term& term : m_terms)
        if (!term(row)) return false;
    return true;
}

}  // namespace strobe
