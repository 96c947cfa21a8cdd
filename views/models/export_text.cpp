#include "views/models/export_text.h"

#include <QObject>
#include <QRegularExpression>
#include <QStringList>
#include <algorithm>
#include <map>

#include "engine_core/runtime/engine_file.h"
#include "profiler/html_report.h"
#include "sessions/limited_build.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/models/settings_text.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

// Shapes to run at: as profiled, else the first profile's best, else what the engine declares.
std::map<std::string, Dims> runShapes(const Build& build) {
    std::map<std::string, Dims> shapes;
    for (const BindingInfo& input : build.engine->inputs())
        if (const auto dims = evaluate(input.shape, build.engine->parts().optSymbols)) shapes[input.name] = *dims;
    if (build.profile)
        for (const auto& [name, dims] : build.profile->shapes) shapes[name] = dims;
    return shapes;
}

QString bindingText(const BindingInfo& binding) {
    return QStringLiteral("%1  %2  %3").arg(toQString(binding.name), precisionLabel(binding.type), shapeText(binding.shape));
}

QString bindingsText(const std::vector<BindingInfo>& bindings) {
    QStringList lines;
    for (const BindingInfo& binding : bindings) lines << bindingText(binding);
    return lines.join('\n');
}

QString precisionsText(const CompiledGraph& graph) {
    std::map<QString, int> counts;
    for (const EngineLayer& layer : graph.layers)
        if (!layer.outputs.empty()) ++counts[precisionLabel(layer.outputs.front().type)];
    QStringList parts;
    for (const auto& [precision, count] : counts) parts << QObject::tr("%1 in %2").arg(count).arg(precision);
    return parts.join(QStringLiteral(", "));
}

QString profilesText(const std::vector<OptimizationProfile>& profiles) {
    QStringList lines;
    for (const OptimizationProfile& profile : profiles)
        for (const auto& [name, range] : profile.inputs)
            lines << (range.min == range.max ? QObject::tr("%1  %2").arg(QString::fromStdString(name), shapeText(range.opt))
                                             : QObject::tr("%1  %2 … %3, best %4")
                                                   .arg(QString::fromStdString(name), shapeText(range.min), shapeText(range.max), shapeText(range.opt)));
    return lines.isEmpty() ? QObject::tr("fixed shapes") : lines.join('\n');
}

QString shellQuoted(const QString& text) {
    static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_./:=,×+@%-]+$"));
    if (plain.match(text).hasMatch()) return text;
    return '\'' + QString(text).replace('\'', QStringLiteral("'\\''")) + '\'';
}

QString shapesFlag(const char* flag, const std::map<std::string, Dims>& shapes) {
    QStringList all;
    for (const auto& [name, dims] : shapes) all << QString::fromStdString(name) + ':' + shapeText(dims).replace(QChar(0x00D7), 'x');
    return all.isEmpty() ? QString() : QStringLiteral(" --%1=%2").arg(QLatin1String(flag), shellQuoted(all.join(',')));
}

/// The shapes of inputs that may vary; the others need no word.
QString runShapesFlag(const Build& build) {
    std::map<std::string, Dims> shapes = runShapes(build);
    for (const BindingInfo& input : build.engine->inputs())
        if (isConstant(input.shape)) shapes.erase(input.name);
    return shapesFlag("shapes", shapes);
}

QString listFlag(const char* flag, const QStringList& values) {
    return values.isEmpty() ? QString() : QStringLiteral(" --%1=%2").arg(QLatin1String(flag), shellQuoted(values.join(',')));
}

/// Profiles in their order; one alone needs no number.
QString profileFlags(const std::vector<OptimizationProfile>& profiles) {
    QString flags;
    for (size_t at = 0; at < profiles.size(); ++at) {
        std::map<std::string, Dims> min, opt, max;
        for (const auto& [name, range] : profiles[at].inputs) {
            min[name] = range.min;
            opt[name] = range.opt;
            max[name] = range.max;
        }
        if (profiles.size() > 1) flags += QStringLiteral(" --profile=%1").arg(at);
        flags += shapesFlag("minShapes", min) + shapesFlag("optShapes", opt) + shapesFlag("maxShapes", max);
    }
    return flags;
}

/// What changes the measured times of candidates, and where they are kept.
QString timingFlags(const BuilderConfig& builder) {
    QString flags;
    if (builder.averageTimings != 0) flags += QStringLiteral(" --avgTiming=%1").arg(builder.averageTimings);
    if (builder.workspaceLimit != 0) {
        const bool isWhole = builder.workspaceLimit % (size_t{1} << 20) == 0;
        flags += QStringLiteral(" --memPoolSize=workspace:%1%2")
                     .arg(isWhole ? builder.workspaceLimit >> 20 : builder.workspaceLimit)
                     .arg(isWhole ? "M" : "B");
    }
    if (builder.timingCachePath.empty())
        flags += QStringLiteral(" --noTimingCache");
    else if (builder.timingCachePath != Session::defaultTimingCachePath())
        flags += QStringLiteral(" --timingCacheFile=") + shellQuoted(QString::fromStdString(builder.timingCachePath));
    if (builder.errorOnTimingCacheMiss) flags += QStringLiteral(" --errorOnTimingCacheMiss");
    return flags;
}

QString dataFlag(const Settings& settings) {
    if (settings.inputFile.empty()) return {};
    return QStringLiteral(" --loadInputs=") + shellQuoted(QString::fromStdString(settings.inputFile));
}

/// The settings as strobe-cli's flags, what is default left out. It has none for the budget of constant folding, which
/// nothing sets.
QString settingsFlags(const Settings& settings) {
    const BuilderConfig& builder = settings.builder;
    static const BuilderConfig defaults;
    QString flags;
    if (builder.precision != defaults.precision) flags += QStringLiteral(" --") + QString::fromStdString(std::string(precisionModeName(builder.precision))).toLower();
    if (builder.device != defaults.device) flags += QStringLiteral(" --device=") + QString::fromStdString(builder.device);
    if (builder.optimizationLevel != defaults.optimizationLevel) flags += QStringLiteral(" --builderOptimizationLevel=%1").arg(builder.optimizationLevel);
    if (builder.threads != defaults.threads) flags += QStringLiteral(" --cpuThreads=%1").arg(builder.threads);
    flags += timingFlags(builder) + profileFlags(builder.profiles);
    QStringList rules, pins, passes, bans;
    for (const PrecisionRule& rule : builder.precisionRules) rules << QString::fromStdString(rule.pattern) + ':' + precisionLabel(rule.type).toLower();
    for (const auto& [layer, tactic] : builder.pinnedTactics) pins << QString::fromStdString(layer) + ':' + QString::fromStdString(tactic);
    for (const std::string& pass : builder.disabledPasses) passes << QString::fromStdString(pass);
    for (const std::string& tactic : builder.bannedTactics) bans << QString::fromStdString(tactic);
    if (limitsAccuracy(settings)) flags += QStringLiteral(" --accuracyLimit=%1").arg(settings.accuracyLimit, 0, 'g', 12) + (settings.inputFile.empty() ? QStringLiteral(" --seed=%1").arg(settings.seed) : dataFlag(settings));
    return flags + listFlag("layerPrecisions", rules) + listFlag("disablePasses", passes) + listFlag("banTactics", bans) + listFlag("pinTactics", pins);
}

QString shapesOf(const std::map<std::string, Dims>& shapes) {
    QStringList all;
    for (const auto& [name, dims] : shapes) all << toQString(name) + ' ' + shapeText(dims);
    return all.join(QStringLiteral(", "));
}

/// At the shapes of a run, and at the largest of every profile that takes more.
QString memoryText(const Build& build) {
    const Engine& engine = *build.engine;
    const auto run = runShapes(build);
    const auto memory = engine.memory(run);
    if (!memory) return {};
    const auto isVaried = [](const BindingInfo& input) { return !isConstant(input.shape); };
    const auto inputs = engine.inputs();
    const bool isDynamic = std::any_of(inputs.begin(), inputs.end(), isVaried);
    const auto bytes = [](size_t count) { return formatBytes(static_cast<double>(count)); };
    QStringList lines{QObject::tr("%1 weights").arg(bytes(memory->weights))};
    lines << (isDynamic ? QObject::tr("%1 for each context at %2").arg(bytes(memory->activations), shapesOf(run))
                        : QObject::tr("%1 for each context").arg(bytes(memory->activations)));
    for (const OptimizationProfile& profile : engine.parts().profiles) {
        std::map<std::string, Dims> largest = run;
        for (const auto& [name, range] : profile.inputs) largest[name] = range.max;
        if (largest == run) continue;
        if (const auto most = engine.memory(largest))
            lines << QObject::tr("%1 for each context at its largest, %2").arg(bytes(most->activations), shapesOf(largest));
    }
    return lines.join('\n');
}

QString latencyFact(const Build& build) {
    const Statistics& latency = build.profile->latency;
    const QString time = markedTime(build, formatTimeSpread(latency.median / 1000, latency.medianError / 1000));
    const QString doubt = doubtText(build);
    return doubt.isEmpty() ? time : time + '\n' + doubt;
}

QString cppQuoted(QString text) {
    return '"' + text.replace('\\', QStringLiteral("\\\\")).replace('"', QStringLiteral("\\\"")) + '"';
}

QString cppType(DataType type) {
    switch (type) {
        case DataType::Float64: return QStringLiteral("double");
        case DataType::Int64: return QStringLiteral("std::int64_t");
        case DataType::Int32: return QStringLiteral("std::int32_t");
        case DataType::Int8: return QStringLiteral("std::int8_t");
        case DataType::UInt8:
        case DataType::Bool: return QStringLiteral("std::uint8_t");
        case DataType::Float16:
        case DataType::BFloat16: return QStringLiteral("std::uint16_t");
        default: return QStringLiteral("float");
    }
}

QString inputLines(const BindingInfo& input, size_t at, const Dims& dims) {
    QStringList extents;
    for (const int64_t extent : dims) extents << QString::number(extent);
    const QString name = QStringLiteral("input%1").arg(at);
    return QStringLiteral("    std::vector<%1> %2(%3);  // fill with your data\n"
                          "    if (auto set = context.setInput(context.inputIndex(%4), %2.data(), {%5}); !set) return fail(set);\n")
        .arg(cppType(input.type), name)
        .arg(elementCount(dims))
        .arg(cppQuoted(QString::fromStdString(input.name)), extents.join(QStringLiteral(", ")));
}

}  // namespace

ExportFacts exportFacts(const Build& build) {
    ExportFacts facts;
    const Engine::Parts& parts = build.engine->parts();
    const CompiledGraph& graph = build.engine->graph();
    facts.contents = {{QObject::tr("Model"), QString::fromStdString(parts.modelName), true},
                      {QObject::tr("Size"), formatBytes(static_cast<double>(build.engineBytes))},
                      {QObject::tr("Layers"), QObject::tr("%1: %2").arg(graph.layers.size()).arg(precisionsText(graph))},
                      {QObject::tr("Inputs"), bindingsText(build.engine->inputs()), true},
                      {QObject::tr("Outputs"), bindingsText(build.engine->outputs()), true},
                      {QObject::tr("Shapes"), profilesText(parts.profiles), true}};
    if (const QString memory = memoryText(build); !memory.isEmpty())
        facts.contents.push_back({QObject::tr("Memory to run"), memory});
    if (limitsAccuracy(build.settings)) 
        facts.contents.push_back({QObject::tr("Accuracy limit"), QObject::tr("%1 of an output’s range, judged on %2")
                                                                     .arg(toQString(shareText(build.settings.accuracyLimit)), inputDataName(build.settings))});
    if (build.profile) facts.contents.push_back({QObject::tr("Latency here"), latencyFact(build)});
    QStringList features;
    for (const std::string& feature : neededFeatures(parts)) features << QString::fromStdString(feature);
    facts.machine = {{QObject::tr("Built for"), QString::fromStdString(parts.device.name)},
                     {QObject::tr("Needs"), features.isEmpty() ? QObject::tr("nothing special") : features.join(QStringLiteral(", "))},
                     {QObject::tr("Threads"), parts.config.threads > 0 ? QString::number(parts.config.threads) : QObject::tr("all cores")}};
    return facts;
}

QString engineFileName(const Build& build, const QString& modelName) {
    static const QRegularExpression other(QStringLiteral("[^a-z0-9]+"));
    static const QRegularExpression dataSuffix(QStringLiteral("\\.np[yz]\\b"));
    QString variant = QString::fromStdString(build.name).toLower().remove(dataSuffix).replace(other, QStringLiteral("_"));
    while (variant.endsWith('_')) variant.chop(1);
    const QString stem = modelName.endsWith(QStringLiteral(".onnx")) ? modelName.chopped(5) : modelName;
    return stem + '_' + variant + QStringLiteral(".engine");
}

std::vector<ExportCommand> exportCommands(const Build& build, const QString& modelPath, const QString& enginePath) {
    const QString engine = QStringLiteral(" --loadEngine=") + shellQuoted(enginePath), shapes = runShapesFlag(build);
    const QString data = dataFlag(build.settings);
    std::vector<ExportCommand> commands;
    commands.push_back({QObject::tr("Measure it"), QStringLiteral("strobe-cli") + engine + shapes});
    commands.push_back({QObject::tr("Run it once"), QStringLiteral("strobe-cli run") + engine + (data.isEmpty() ? shapes : data) +
                                                        QStringLiteral(" --exportOutput=outputs.npz")});
    commands.push_back({QObject::tr("Build it again"), QStringLiteral("strobe-cli build --onnx=") +
                                                           shellQuoted(modelPath) + settingsFlags(build.settings) +
                                                           QStringLiteral(" --saveEngine=") + shellQuoted(enginePath)});
    return commands;
}

std::string buildReportHtml(const Build& build) {
    const ExportFacts facts = exportFacts(build);
    std::vector<ReportSection> sections{{QObject::tr("What is in it").toStdString(), {}}, {QObject::tr("Where it runs").toStdString(), {}}};
    for (const ExportFact& fact : facts.contents) sections[0].rows.emplace_back(fact.name.toStdString(), fact.value.toStdString());
    for (const ExportFact& fact : facts.machine) sections[1].rows.emplace_back(fact.name.toStdString(), fact.value.toStdString());
    return htmlReport(build.engine->parts().modelName + " · " + build.name, sections, *build.profile);
}

QString cppProgram(const Build& build, const QString& enginePath) {
    const auto shapes = runShapes(build);
    QString includes, inputs, outputs;
    for (const char* header : {"engine_core/runtime/engine.h", "engine_core/runtime/execution_context.h", "kernels/cpu/register.h"})
        includes += QStringLiteral("#include ") + cppQuoted(header) + '\n';
    size_t at = 0;
    for (const BindingInfo& input : build.engine->inputs()) {
        const auto found = shapes.find(input.name);
        inputs += inputLines(input, at++, found == shapes.end() ? Dims() : found->second);
    }
    at = 0;
    for (const BindingInfo& output : build.engine->outputs())
        outputs += QStringLiteral("    const auto* output%1 = static_cast<const %2*>(context.outputData(context.outputIndex(%3)));\n"
                                  "    std::cout << %3 << \"[0] = \" << +output%1[0] << '\\n';\n")
                       .arg(at++)
                       .arg(cppType(output.type), cppQuoted(QString::fromStdString(output.name)));
    return QStringLiteral(R"(#include <cstdint>
#include <iostream>
#include <vector>

%4
static int fail(const strobe::Status& status) {
    std::cerr << status.message() << '\n';
    return 1;
}

int main() {
    strobe::KernelRegistry kernels;
    strobe::registerCpuKernels(kernels);
    auto engine = strobe::Engine::load(%1, kernels);
    if (!engine) return fail(engine.status());
    auto created = (*engine)->createContext();  // one for each thread
    if (!created) return fail(created.status());
    strobe::ExecutionContext& context = **created;
%2    if (auto done = context.run(); !done) return fail(done);
%3}
)")
        .arg(cppQuoted(enginePath), inputs, outputs, includes);
}

}  // namespace strobe
