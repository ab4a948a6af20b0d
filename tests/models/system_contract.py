# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that every registered system has to pass: a subclass says which one it is, and how it is made small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import onnxruntime
import pytest
import torch
from tiny_models import shapes

from ris_node.bundle import InputContract, Manifest, TextContract
from ris_node.bundle.contract import contract
from ris_node.errors import ConfigError
from ris_node.export.graphs import write_graph
from ris_node.models.attention import MASKED
from ris_node.models.base import OUTPUTS, System
from ris_node.models.registry import SYSTEMS, find_system, loss_weights, model_config
from ris_node.training.inputs.batches import collate


def small_batch():
    """Return two pictures of shapes with six expressions each."""
    pictures = [shapes(0), shapes(1)]
    return collate(pictures, [range(6)] * 2, [picture.image for picture in pictures])


def opened(net: System) -> System:
    """Give parameters that start at zero random values, so that no closed gate hides anything."""
    torch.manual_seed(5)
    for parameter in net.parameters():
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.3)
    return net.eval()


def word_codes(net: System, rows: int, words: int, length: int, noise: float = 0.0, seed: int = 0):
    """Return random word features, padded to `length` with noise, and their mask."""
    torch.manual_seed(seed)
    raw = torch.randn(rows, words, net.config.text_in)
    padding = noise * torch.randn(rows, length - words, net.config.text_in)
    return torch.cat([raw, padding], 1), (torch.arange(length) < words).long().expand(rows, -1)


class SystemContract:
    """The contract of `System`, checked on a small untrained network for pictures of 64 x 96."""

    name = ""
    settings: Mapping[str, object] = {}
    structure = ""

    def make(self, seed: int = 0) -> System:
        """Return the small network."""
        torch.manual_seed(seed)
        return find_system(self.name).rebuild(model_config(self.name, self.settings), self.structure)

    def loss(self, net: System) -> torch.Tensor:
        batch = small_batch()
        outputs = net.outputs(batch, word_codes(net, len(batch.texts), 4, 6))
        return torch.stack(list(net.losses(outputs, batch, loss_weights(self.name, {})).values())).sum()

    def test_it_says_what_it_is(self):
        kind = SYSTEMS[self.name]
        assert kind.description and "seed" in kind.source and kind.terms and isinstance(self.make(), kind)
        with pytest.raises(ConfigError, match="colour"):
            model_config(self.name, {"colour": 1})

    def test_outputs_of_a_batch_are_those_of_each_row(self):
        net, batch = opened(self.make()), small_batch()
        features = word_codes(net, len(batch.texts), 4, 6)
        with torch.no_grad():
            found = net.outputs(batch, features)
            words, sentence = net.adapter(*features)
            images = batch.images.repeat_interleave(batch.repeats, 0)
            rows = net(images, words, (1 - features[1]).float() * MASKED, sentence)
        height, width = net.config.height // 4, net.config.width // 4
        assert [tuple(row.shape) for row in rows] == [(12, height, width), (12, height, width), (12,)]
        for name, row in zip(OUTPUTS, rows, strict=True):
            assert (found[name] - row).abs().max() < 1e-4 and row.std() > 0

    def test_every_parameter_is_in_one_group_and_learns(self):
        net = opened(self.make()).train()
        total = self.loss(net)
        total.backward()
        groups = net.parameter_groups()
        grouped = [parameter for group in groups for parameter in group.parameters]
        assert total.isfinite() and {id(p) for p in grouped} == {id(p) for p in net.parameters()}
        assert len(grouped) == len({id(p) for p in grouped})
        for group in groups:
            assert all(p.grad is not None for p in group.parameters)
            assert any(p.grad.abs().sum() > 0 for p in group.parameters)

    def test_losses_are_named_weighted_and_fall(self):
        net, batch = self.make().train(), small_batch()
        outputs = net.outputs(batch, word_codes(net, len(batch.texts), 4, 6))
        weights = loss_weights(self.name, {})
        terms = net.losses(outputs, batch, weights)
        assert set(terms) == set(weights) and all(term.isfinite() and term.ndim == 0 for term in terms.values())
        nothing = net.losses(outputs, batch, dict.fromkeys(weights, 0.0))
        assert all(term == 0 for term in nothing.values())
        optimiser = torch.optim.Adam(net.parameters(), 3e-3)
        first = self.loss(net).item()
        for _ in range(30):
            optimiser.zero_grad()
            loss = self.loss(net)
            loss.backward()
            optimiser.step()
        assert loss.item() < 0.8 * first

    def test_padding_changes_nothing_and_words_do(self):
        net, image = opened(self.make()), small_batch().images[:1]

        def answer(*codes, **more):
            raw, mask = word_codes(net, 1, *codes, **more)
            words, sentence = net.adapter(raw, mask)
            with torch.no_grad():
                return net(image, words, (1 - mask).float() * MASKED, sentence)

        short, long, other = answer(5, 6), answer(5, 16, noise=9.0), answer(5, 6, seed=1)
        for a, b in zip(short, long, strict=True):
            assert (a - b).abs().max() < 1e-4
        assert (short[0] - other[0]).abs().max() > 1e-3

    def test_config_structure_and_weights_rebuild_it(self):
        net = opened(self.make())
        config = model_config(self.name, json.loads(json.dumps(asdict(net.config))))
        again = find_system(self.name).rebuild(config, net.structure)
        again.load_state_dict(net.state_dict())
        assert config == net.config and again.structure == net.structure
        assert torch.equal(self.loss(again.eval()), self.loss(net))

    def test_onnx_runtime_answers_as_torch_does(self, tmp_path):
        net = opened(self.make())
        samples = []
        for words, seed in ((2, 0), (net.config.text_tokens, 1)):
            raw, mask = word_codes(net, 1, words, net.config.text_tokens, seed=seed)
            with torch.no_grad():
                features, sentence = net.adapter(raw, mask)
            word_mask = ((1 - mask) * MASKED).numpy().astype(np.float32)
            image = np.random.default_rng(seed).integers(0, 256, (1, 64, 96, 3), np.uint8)
            samples.append((image, features.numpy(), word_mask, sentence.numpy()))
        path = tmp_path / "vision.onnx"
        write_graph(net.vision_graph().eval(), samples, path)
        manifest = Manifest(
            name=self.name, version="1", family="referring", use="",
            input=InputContract(64, 96), text=TextContract(net.config.text_tokens, net.config.text_width),
        )  # fmt: skip
        session, graph = onnxruntime.InferenceSession(str(path)), contract(manifest)["vision"]
        for given, wanted in ((session.get_inputs(), graph.inputs), (session.get_outputs(), graph.outputs)):
            assert [(i.name, tuple(i.shape)) for i in given] == [(spec.name, spec.shape) for spec in wanted]
        for sample in samples:
            found = session.run(list(OUTPUTS), dict(zip(net.vision_graph().inputs, sample, strict=True)))
            with torch.no_grad():
                truth = net(*map(torch.from_numpy, sample))
            assert max(np.abs(a - b.numpy()).max() for a, b in zip(found, truth, strict=True)) < 1e-4
