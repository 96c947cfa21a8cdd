#include <QTest>
#include <algorithm>

#include "engine_core/ops/op_definition.h"
#include "tests/views/sample_session.h"
#include "views/models/display_text.h"
#include "views/models/graph_query.h"
#include "views/models/graph_scene_builder.h"

using namespace strobe;

namespace {

/// x → Conv (constant weights) → Relu → y, and x twice into an Add.
std::shared_ptr<const Model> smallModel() {
    auto network = std::make_shared<Network>();
    const auto op = [](const char* name) { return OpRegistry::instance().get(name); };
    const TensorId x = network->addInput("x", DataType::Float32, {Dim::symbol("N"), 2, 4, 4});
    const std::vector<float> ones(4, 1.0f);
    const TensorId w = network->addConstant("w", makeFloatWeights({2, 2, 1, 1}, ones));
    const TensorId c = network->addTensor("c"), r = network->addTensor("r"), s = network->addTensor("s");
    network->layer(network->addLayer("/body/first/conv", op("Conv"), {}, {x, w}, {c})).provenance = {0};
    network->layer(network->addLayer("/body/first/relu", op("Relu"), {}, {c}, {r})).provenance = {1};
    network->layer(network->addLayer("/body/sum", op("Add"), {}, {r, r}, {s})).provenance = {2};
    network->markOutput(s);
    auto sources = std::make_shared<std::vector<SourceNode>>(3);
    network->setSourceNodes(sources);
    if (!inferNetwork(*network).isOk()) return nullptr;
    auto model = std::make_shared<Model>();
    model->parsed = network;
    return model;
}

GraphSceneData sceneOf(const std::shared_ptr<const Model>& model, const std::shared_ptr<const Build>& build, GraphStage stage, std::vector<ProblemEntry> problems = {}) {
    return buildGraphScene({std::make_shared<const BuildIndex>(model, build), stage, nullptr, std::move(problems)});
}

}  // namespace

class GraphSceneBuilderTest : public QObject {
    Q_OBJECT

private slots:
    void parsedNetworkShowsInputsLayersOutputsAndNoConstants() {
        const GraphSceneData data = sceneOf(smallModel(), nullptr, GraphStage::Parsed);
        QVERIFY(data.scene != nullptr);
        QStringList titles;
        for (const GraphNode& node : data.scene->nodes) titles += node.title;
        QCOMPARE(titles, (QStringList{"Input", "Conv", "Relu", "Add", "Output"}));
        QCOMPARE(data.facts.size(), data.scene->nodes.size());
        // A tensor that a layer reads twice is one edge.
        QCOMPARE(data.scene->edges.size(), size_t{4});
        QCOMPARE(data.scene->edges[0].label, QStringLiteral("N×2×4×4"));
        QCOMPARE(data.scene->nodes[1].family, NodeFamily::Convolution);
        QVERIFY(data.scene->nodes[1].chip.isEmpty());
    }

    void scopesWithFewNodesJoinTheirParents() {
        const GraphSceneData data = sceneOf(smallModel(), nullptr, GraphStage::Parsed);
        QCOMPARE(data.scene->nodes[1].group, QString("body"));  // "body/first" holds two nodes only
    }

    void problemsBecomeBadgesOfTheWorstSeverity() {
        const GraphSceneData data = sceneOf(smallModel(), nullptr, GraphStage::Parsed,
                                            {{ProblemSeverity::Warning, "import", {1}, "", "w", ""}, {ProblemSeverity::Error, "import", {1}, "", "e", ""}});
        QCOMPARE(data.scene->nodes[2].badge, GraphBadge::Error);
        QCOMPARE(data.scene->nodes[1].badge, GraphBadge::None);
    }

    void worstErrorOfANodeMayBeNegative() {
        auto accuracy = std::make_shared<AccuracyReport>();
        for (const auto& [node, snrDb] : {std::pair{0, 20.0}, {1, -5.0}, {1, 12.0}}) {
            accuracy->layers.push_back({{node}, "a", "b", {}});
            accuracy->layers.back().difference.snrDb = snrDb;
        }
        auto comparison = std::make_shared<Comparison>();
        comparison->accuracy = accuracy;
        const GraphSceneData data = buildGraphScene(
            {std::make_shared<const BuildIndex>(smallModel(), nullptr), GraphStage::Parsed, comparison, {}});
        QCOMPARE(data.facts[1].snrDb, std::optional(20.0));
        QCOMPARE(data.facts[2].snrDb, std::optional(-5.0));
        QVERIFY(!data.facts[3].snrDb);
    }

    void engineOfTheSampleNamesFusedActivations() {
        testing::SampleSession session;
        session.open();
        const auto build = session.build();
        const GraphSceneData data = sceneOf(session->model(), build, GraphStage::Engine);
        const auto& nodes = data.scene->nodes;
        QVERIFY(std::any_of(nodes.begin(), nodes.end(), [](const GraphNode& node) { return node.title == "Conv + Relu" && node.precision == "FP32"; }));
        QVERIFY(nodes.size() < session->model()->parsed->sourceNodes().size());
        // Ids are indices of engine layers, except for inputs and outputs.
        for (size_t i = 0; i < nodes.size(); ++i)
            if (data.facts[i].layer) QCOMPARE(nodes[i].id, static_cast<int64_t>(data.facts[i].layer->index));
    }

    void memoryIsThatOfOutputsAndWeights() {
        auto model = std::make_shared<Model>(*smallModel());
        QCOMPARE(sceneOf(model, nullptr, GraphStage::Parsed).facts[1].bytes, -1.0);  // N is not known
        model->assumed.values["N"] = 3;
        const GraphSceneData data = sceneOf(model, nullptr, GraphStage::Parsed);
        const double output = 3 * 2 * 4 * 4 * 4;
        QCOMPARE(data.facts[1].bytes, output + 2 * 2 * 4);  // Conv: with its weights
        QCOMPARE(data.facts[2].bytes, output);
        QCOMPARE(data.facts[0].bytes, -1.0);  // the input is no layer
    }

    void stagesWithoutABuildHaveNoScene() { QVERIFY(sceneOf(smallModel(), nullptr, GraphStage::Engine).scene == nullptr); }

    void queryCombinesItsTerms_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("hits");
        QTest::newRow("name") << "first" << 2;
        QTest::newRow("op") << "op:conv" << 1;
        QTest::newRow("wildcard") << "op:*" << 5;
        QTest::newRow("regex") << "/s(um)$/" << 1;
        QTest::newRow("both") << "first op:Relu" << 1;
        QTest::newRow("neither") << "sum op:Relu" << 0;
        QTest::newRow("no times yet") << "time>0ms" << 0;
    }
    void queryCombinesItsTerms() {
        QFETCH(QString, text);
        QFETCH(int, hits);
        const GraphQuery query = GraphQuery::parse(text);
        QCOMPARE(query.error(), QString());
        QCOMPARE(static_cast<int>(query.find(sceneOf(smallModel(), nullptr, GraphStage::Parsed)).size()), hits);
    }

    void queryComparesTimesInTheirUnits() {
        GraphNode node;
        GraphNodeFacts facts;
        facts.milliseconds = 0.2;
        QVERIFY(GraphQuery::parse("time>100us").matches(node, facts));
        QVERIFY(!GraphQuery::parse("time>0.2ms").matches(node, facts));
        QVERIFY(GraphQuery::parse("time>=0.2ms").matches(node, facts));
        QVERIFY(GraphQuery::parse("time<1s").matches(node, facts));
        QVERIFY(!GraphQuery::parse("time>soon").error().isEmpty());
        QVERIFY(!GraphQuery::parse("/(/").error().isEmpty());
    }
};

QTEST_GUILESS_MAIN(GraphSceneBuilderTest)
#include "graph_scene_builder_test.moc"
