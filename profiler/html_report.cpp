#include "profiler/html_report.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "engine_core/base/utf8.h"

namespace strobe {
namespace {

const char* const kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; --text: #1b1f24; --faint: #5a6370; --line: #e1e5ea; --back: #fff; --bar: #2a67e0; }
@media (prefers-color-scheme: dark) { :root { --text: #e7eaee; --faint: #9ba5b2; --line: #2d3239; --back: #15171b; --bar: #6ca0ff; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 32px auto; padding: 0 24px; max-width: 1200px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
p, th, dt { color: var(--faint); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 24px; margin: 0; } dd { margin: 0; white-space: pre-line; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 8px; border-bottom: 1px solid var(--line); font-weight: normal; }
.n { text-align: right; white-space: nowrap; } code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere; }
.share { width: 160px; } .share i { display: block; height: 10px; background: var(--bar); }
</style>
)";

std::string escaped(const std::string& text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
        const size_t length = utf8Length(text, at);
        switch (length > 0 ? text[at] : '\0') {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\0':
                out += "&#xfffd;";
                break;  // no character: file names are bytes
            default:
                out.append(text, at, length);
        }
        at += std::max<size_t>(length, 1);
    }
    return out;
}

std::string number(const char* pattern, double value) {
    char text[48];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

std::string cell(const std::string& text, const char* kind = "") {
    return std::string("<td") + (*kind ? std::string(" class=\"") + kind + "\"" : std::string()) + ">" + text + "</td>";
}

/// A bar as long as the share, the longest filling its cell.
std::string bar(double share, double largest) {
    return cell("<i style=\"width:" + number("%.1f", largest > 0 ? 100 * share / largest : 0) + "%\"></i>", "share");
}

std::string milliseconds(double value) {
    return number(value < 0.1 ? "%.4f" : "%.3f", value);
}

std::string opsTable(const Profile& profile) {
    struct Sum {
        int count = 0;
        double time = 0, share = 0;
    };
    std::map<std::string, Sum> byOp;
    for (const LayerProfile& layer : profile.layers) {
        Sum& sum = byOp[layer.op];
        ++sum.count;
        sum.time += layer.milliseconds.median;
        sum.share += layer.share;
    }
    std::vector<std::pair<std::string, Sum>> rows(byOp.begin(), byOp.end());
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second.time > b.second.time; });
    std::string html = "<table><tr><th>Op<th class=\"n\">Layers<th class=\"n\">Time (ms)<th class=\"n\">Share (%)<th></tr>\n";
    for (const auto& [op, sum] : rows)
        html += "<tr>" + cell(escaped(op)) + cell(std::to_string(sum.count), "n") + cell(milliseconds(sum.time), "n") + cell(number("%.1f", 100 * sum.share), "n") +
                bar(sum.share, rows.front().second.share) + "</tr>\n";
    return html + "</table>\n";
}

std::string layersTable(const Profile& profile) {
    std::vector<const LayerProfile*> rows;
    for (const LayerProfile& layer : profile.layers) rows.push_back(&layer);
    std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->milliseconds.median > b->milliseconds.median; });
    std::string html =
        "<table><tr><th class=\"n\">#<th>Layer<th>Op<th class=\"n\">Time (ms)<th class=\"n\">± 95 %<th class=\"n\">Share (%)<th><th>Precision<th>Output<th class=\"n\">GFLOP/s<th class=\"n\">GB/s<th>Tactic</tr>\n";
    for (const LayerProfile* layer : rows) {
        const double seconds = layer->milliseconds.median / 1000;
        html += "<tr>" + cell(std::to_string(layer->layer), "n") + cell("<code>" + escaped(layer->name) + "</code>") + cell(escaped(layer->op)) + cell(milliseconds(layer->milliseconds.median), "n") +
                cell(milliseconds(layer->milliseconds.medianError), "n") + cell(number("%.1f", 100 * layer->share), "n") + bar(layer->share, rows.front()->share) + cell(escaped(layer->precision)) +
                cell(escaped(layer->outputShape)) + cell(seconds > 0 && layer->flops > 0 ? number("%.3g", layer->flops / 1e9 / seconds) : "–", "n") +
                cell(seconds > 0 ? number("%.3g", layer->bytes / 1e9 / seconds) : "–", "n") + cell("<code>" + escaped(layer->tactic) + "</code>") + "</tr>\n";
    }
    return html + "</table>\n";
}

}  // namespace

std::string htmlReport(const std::string& title, const std::vector<ReportSection>& facts, const Profile& profile) {
    std::string html = kHead;
    html += "<title>" + escaped(title) + "</title></head><body>\n<h1>" + escaped(title) + "</h1>\n";
    html += "<p>" + milliseconds(profile.latency.median) + " ms ± " + milliseconds(profile.latency.medianError) + " end to end (median of " + std::to_string(profile.latency.count) +
            " runs and its 95 % confidence, spread " + number("%.1f", 100 * profile.latency.spread()) + " %) · the layers add up to " + number("%.1f", 100 * profile.coverage()) + " % of a run</p>\n";
    for (const ReportSection& section : facts) {
        html += "<h2>" + escaped(section.heading) + "</h2>\n<dl>";
        for (const auto& [name, value] : section.rows) html += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>\n";
        html += "</dl>\n";
    }
    html += "<h2>Time by op</h2>\n" + opsTable(profile) + "<h2>Layers</h2>\n" + layersTable(profile);
    return html + "</body></html>\n";
}

}  // namespace strobe
