// Shows every widget with data of realistic shape and saves one PNG a theme: widgets_gallery FOLDER
#include <QAction>
#include <QApplication>
#include <QDockWidget>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMainWindow>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStandardItemModel>
#include <QStatusBar>
#include <QTabWidget>
#include <QTest>
#include <QToolBar>
#include <cmath>

#include "tests/views/generated_graphs.h"
#include "views/delegates/cell_delegates.h"
#include "views/widgets/bar_chart.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/graph_canvas.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/number_format.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/table_view.h"

using namespace strobe;

namespace {

const std::array<const char*, 4> kPrecisions{"FP32", "BF16", "INT8", "FP8"};

double timeOf(size_t index) {
    return 2e-6 * std::exp(4.5 * std::fmod(static_cast<double>(index) * 0.6180339, 1.0));
}

GraphScenePtr timedScene() {
    auto scene = std::make_shared<GraphScene>(testing::makeNetworkScene(672));
    for (size_t i = 0; i < scene->nodes.size(); ++i) {
        GraphNode& node = scene->nodes[i];
        if (node.family == NodeFamily::Other) continue;
        node.chip = formatTime(timeOf(i));
        node.precision = kPrecisions[i / 7 % 4];
        node.preview = node.precision == "FP8";
        if (i % 41 == 0) node.badge = i % 2 == 0 ? GraphBadge::Warning : GraphBadge::Error;
    }
    return scene;
}

GraphColouring colourByTime(const GraphScene& scene) {
    GraphColouring colouring;
    for (size_t i = 0; i < scene.nodes.size(); ++i)
        colouring.fills.push_back(
            scene.nodes[i].chip.isEmpty() ? QColor() : Theme::instance().magnitude(std::log(timeOf(i) / 2e-6) / 4.5));
    colouring.legend.title = "Time (µs), logarithmic";
    for (int i = 0; i < 32; ++i) colouring.legend.ramp.push_back(Theme::instance().magnitude(i / 31.0));
    colouring.legend.rampLow = "2.00";
    colouring.legend.rampHigh = "180";
    return colouring;
}

GraphColouring colourByFamily() {
    GraphColouring colouring;
    colouring.legend.title = "Op family";
    for (const auto family :
         {NodeFamily::Convolution, NodeFamily::Pointwise, NodeFamily::PoolingReduction, NodeFamily::ShapeCopy})
        colouring.legend.swatches.push_back({Theme::instance().family(family), nodeFamilyLabel(family)});
    return colouring;
}

void fillTable(QStandardItemModel& model, const GraphScene& scene) {
    model.setRowCount(0);
    model.setHorizontalHeaderLabels({"Layer", "Op", "Precision", "Time (µs)", "Share", "Δ (µs)", "GFLOP/s"});
    const auto number = [](double value, const QString& text) {
        auto* item = new QStandardItem(text);
        item->setData(value, kSortRole);
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        return item;
    };
    for (size_t i = 1; i < 72; ++i) {
        const GraphNode& node = scene.nodes[i];
        auto* op = new QStandardItem(node.title);
        op->setData(Theme::instance().family(node.family), kColourRole);
        auto* precision = new QStandardItem(node.precision);
        precision->setData(Theme::instance().precision(node.precision), kColourRole);
        precision->setData(node.preview, kHatchedRole);
        const double time = timeOf(i) * 1e6, delta = (std::fmod(static_cast<double>(i) * 0.37, 1.0) - 0.5) * 20;
        auto* share = number(time / 1500, formatPercent(time / 1500));
        share->setData(time / 185, kShareRole);
        auto* change = number(delta, formatSigned(delta));
        if (i % 5 != 0) change->setData(delta / 12, kDeltaRole);
        model.appendRow({new QStandardItem(node.subtitle), op, precision, number(time, formatNumber(time)), share,
                         change, number(4e4 / time, formatNumber(4e4 / time))});
    }
    model.horizontalHeaderItem(3)->setData(true, kSummableRole);
    for (const int column : {3, 4, 5, 6})
        model.horizontalHeaderItem(column)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
}

class Gallery : public QMainWindow {
public:
    Gallery() : m_scene(timedScene()) {
        setWindowTitle("Widgets");
        resize(1600, 1000);
        buildToolBar();
        buildCentre();
        buildDocks();
        auto* status = new StatusStrip;
        status->setSegments({"CPU: Zen 4, 2 threads", "model 4.48 MiB, 672 nodes → 71 layers",
                             formatTimeSpread(0.01231, 0.00008), "layers sum 97 % of end to end"});
        statusBar()->addWidget(status, 1);
        statusBar()->setSizeGripEnabled(false);
        canvas->setScene(m_scene);
    }

    // Colours that the caller hands in are of one theme: handed in again after a change.
    void restyle(bool byTime) {
        canvas->setColouring(byTime ? colourByTime(*m_scene) : colourByFamily());
        fillTable(m_model, *m_scene);
        if (m_table != nullptr) m_table->selectRow(2);
        canvas->setFocus();
    }

    GraphCanvas* canvas = new GraphCanvas;
    CommandPalette* palette = new CommandPalette(this);

private:
    void buildToolBar() {
        QToolBar* bar = addToolBar("Main");
        bar->setMovable(false);
        bar->addAction("Open");
        auto* precisions = new SegmentedControl(SegmentedControl::Mode::Any);
        for (const char* name : {"FP32", "BF16", "FP16", "INT8", "FP8"})
            precisions->addSegment(name, {}, Theme::instance().precision(name), QString(name) == "FP8");
        precisions->setOn(0, true);
        precisions->setOn(3, true);
        precisions->setOn(4, true);
        bar->addWidget(precisions);
        bar->addSeparator();
        auto* build = new QPushButton("Build and profile");
        build->setProperty("primary", true);
        bar->addWidget(build);
        bar->addWidget(new QPushButton("Compare"));
    }

    void buildCentre() {
        auto* page = new QWidget;
        auto* layout = new QVBoxLayout(page);
        layout->setContentsMargins(0, 0, 0, 0);
        layout->setSpacing(0);
        auto* head = new QHBoxLayout;
        head->setContentsMargins(kGrid, 4, kGrid, 4);
        auto* states = new SegmentedControl;
        for (const char* name : {"Parsed", "Fused", "Engine"}) states->addSegment(name);
        head->addWidget(states);
        head->addStretch(1);
        auto* filter = new FilterBar("Find: op:Conv time>1ms");
        filter->setHint("12 of 672");
        filter->setFixedWidth(320);
        head->addWidget(filter);
        layout->addLayout(head);
        layout->addWidget(canvas, 1);
        setCentralWidget(page);
    }

    QWidget* buildTable() {
        auto* pane = new TablePane;
        auto* proxy = new QSortFilterProxyModel(pane);
        proxy->setSourceModel(&m_model);
        proxy->setSortRole(kSortRole);
        fillTable(m_model, *m_scene);
        pane->setModel(proxy);
        TableView& table = pane->table();
        table.setItemDelegateForColumn(0, new NameDelegate(&table));
        table.setItemDelegateForColumn(1, new ChipDelegate(ChipDelegate::Look::Dot, &table));
        table.setItemDelegateForColumn(2, new ChipDelegate(ChipDelegate::Look::Filled, &table));
        table.setItemDelegateForColumn(4, new ShareDelegate(&table));
        table.setItemDelegateForColumn(5, new DeltaDelegate(&table));
        table.setColumnWidth(0, 320);
        table.setColumnWidth(4, 190);
        table.sortByColumn(3, Qt::DescendingOrder);
        m_table = &table;
        return pane;
    }

    void buildDocks() {
        auto* inspector = new KeyValueView;
        inspector->setSections(
            {{"Conv + Sigmoid + Mul",
              {{"Name", "/model.2/block1/cv1/conv/Conv", {}, true, {}},
               {"Input", "1×64×160×160", {}, true, {}},
               {"Output", "1×64×160×160", {}, true, {}},
               {"Kernel", "3×3, stride 1, pads 1 1 1 1", {}, false, {}}}},
             {"Time",
              {{"Median", formatTimeSpread(1.84e-4, 2e-6), {}, false, {}},
               {"Share", "12.3 %", {}, false, {}},
               {"Of the roof", "71.0 %", {}, false, {}}}},
             {"Fused from",
              {{"1", "/model.2/cv1/conv/Conv", "node:17", true, {}},
               {"2", "/model.2/cv1/act/Sigmoid", "node:18", true, {}},
               {{}, "A convolution and the activation that alone uses it run as one kernel.", {}, false, {}}}}});
        auto* weights = new BarChart;
        BarChartData bars;
        for (int i = 0; i < 64; ++i) bars.values.push_back(1200 * std::exp(-0.5 * std::pow((i - 34) / 9.0, 2)));
        bars.low = -0.31;
        bars.high = 0.27;
        bars.valueName = "weights";
        weights->setData(bars);
        auto* side = new QSplitter(Qt::Vertical);
        side->addWidget(inspector);
        side->addWidget(weights);
        side->setStretchFactor(0, 1);
        addDock("Inspector", side, Qt::RightDockWidgetArea, 340);
        auto* bottom = new QTabWidget;
        bottom->setDocumentMode(true);
        bottom->addTab(buildTable(), "Layers");
        auto* empty = new EmptyState("Build and profile to see when each layer runs · Ctrl+B");
        auto* build = new QAction("Build and profile", this);
        empty->setAction(build);
        bottom->addTab(empty, "Timeline");
        auto* box = new QWidget;
        auto* layout = new QVBoxLayout(box);
        layout->setContentsMargins(0, 0, 0, 0);
        layout->setSpacing(0);
        auto* progress = new ProgressStrip;
        progress->setProgress("Building INT8", "timing onednn:avx512_vnni on /model.4/cv2/conv/Conv (31 of 71)", 0.44,
                              12);
        layout->addWidget(progress);
        layout->addWidget(bottom, 1);
        addDock("Layers", box, Qt::BottomDockWidgetArea, 320);
    }

    void addDock(const QString& title, QWidget* widget, Qt::DockWidgetArea area, int size) {
        auto* dock = new QDockWidget(title, this);
        dock->setWidget(widget);
        addDockWidget(area, dock);
        resizeDocks({dock}, {size}, area == Qt::RightDockWidgetArea ? Qt::Horizontal : Qt::Vertical);
    }

    GraphScenePtr m_scene;
    QStandardItemModel m_model;
    TableView* m_table = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    const QString folder = argc > 1 ? QString::fromLocal8Bit(argv[1]) : QStringLiteral(".");
    Theme::instance().install();
    Gallery gallery;
    gallery.canvas->setAnimated(false);
    gallery.show();
    if (!gallery.canvas->waitForLayout()) return 1;
    bool saved = true;
    const auto shoot = [&](const QString& name) {
        QTest::qWait(150);
        saved = gallery.grab().save(folder + '/' + name + ".png") && saved;
    };
    for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark}) {
        Theme::instance().setMode(mode);
        const QString suffix = mode == ThemeMode::Light ? "light" : "dark";
        gallery.restyle(true);
        gallery.canvas->zoomToFit();
        shoot("fit_" + suffix);
        gallery.restyle(false);
        gallery.canvas->setSelection({1040}, true);
        gallery.canvas->setHighlight({1041, 1042, 1043}, false);
        gallery.canvas->setZoomFactor(1.0);
        shoot("near_" + suffix);
        gallery.restyle(true);
        gallery.canvas->setHighlight({}, false);
        gallery.canvas->setZoomFactor(0.55);
        shoot("mid_" + suffix);
        saved = gallery.canvas->toImage(true, 0.5).save(folder + "/graph_" + suffix + ".png") && saved;
    }
    return saved ? 0 : 1;
}
